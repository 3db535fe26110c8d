import { type ComponentChild, h } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { ConsoleWhoAmI } from '../wire/console.ts';
import { describe, isSessionEnd, post, read } from './call.ts';
import { dropAllDrafts } from './drafts.ts';
import { button, failure } from './elements.ts';
import { SignIn } from './sign-in.ts';
import { Workbench } from './workbench.ts';

type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'out'; readonly message: string }
  | { readonly kind: 'in'; readonly who: ConsoleWhoAmI };

/** Who is here, and what of the console he sees. */
export function App(): ComponentChild {
  const [state, setState] = useState<State>({ kind: 'starting' });
  const start = useCallback(() => {
    return read<ConsoleWhoAmI>('whoami').then(
      (who) => setState({ kind: 'in', who }),
      (error: unknown) => {
        setState({ kind: 'out', message: isSessionEnd(error) ? failedSignIn() : describe(error) });
      },
    );
  }, []);
  useEffect(() => void start(), []);
  const onEnded = useCallback(() => {
    setState({
      kind: 'out',
      message: 'Your session has ended. Sign in again: what you typed is kept in this tab.',
    });
  }, []);

  switch (state.kind) {
    case 'starting':
      return h('main', { class: 'starting', 'aria-busy': 'true' });
    case 'out':
      return h(SignIn, { message: state.message, onSignedIn: start });
    case 'in':
      return h(
        'div',
        { class: 'shell' },
        h('a', { class: 'skip', href: '#editor' }, 'Skip to the editor'),
        h(Header, { who: state.who, onSignedOut: () => setState({ kind: 'out', message: '' }) }),
        h(Workbench, { who: state.who, onEnded }),
      );
  }
}

function Header({
  who,
  onSignedOut,
}: {
  readonly who: ConsoleWhoAmI;
  readonly onSignedOut: () => void;
}): ComponentChild {
  const [problem, setProblem] = useState('');
  // Only the server can end a session: whoever is told that it has ended may leave the machine to others.
  const signOut = () => {
    const leave = async () => {
      await post('sign-out', {});
      dropAllDrafts();
      onSignedOut();
    };
    leave().catch((error: unknown) => setProblem(`You are still signed in: ${describe(error)}`));
  };
  return h(
    'header',
    { class: 'top' },
    h('img', { src: '/console/icon.svg', alt: '', width: 24, height: 24 }),
    h('h1', {}, 'Citadel'),
    h('span', { class: 'domain' }, who.trustDomain),
    h(
      'span',
      { class: 'who', title: `signed in until ${new Date(who.endsAt).toLocaleString()}` },
      h('span', { class: 'subject' }, who.subject),
      h('span', { class: 'badge' }, who.role ?? 'no role'),
    ),
    button('Sign out', signOut, { class: 'quiet' }),
    problem === '' ? null : failure(problem),
  );
}

/** What the server says of a sign-in at the provider that came to nothing. */
function failedSignIn(): string {
  const code = /^#sign-in=(\w+)$/.exec(location.hash)?.[1];
  if (code === undefined) return '';
  history.replaceState(undefined, '', location.pathname);
  switch (code) {
    case 'Unauthenticated':
      return 'The sign-in failed: it did not begin in this browser, took too long, or the provider refused it. Try again.';
    case 'Unavailable':
      return 'The identity provider cannot be asked. Try again; the server’s log has the cause.';
    case 'ResourceExhausted':
      return 'Too many sign in at the moment. Try again in a minute.';
    default:
      return 'The sign-in failed. The server’s log has the cause.';
  }
}
