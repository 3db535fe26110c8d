import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ConsoleSignIn } from '../wire/console.ts';
import { describe, post, read } from './call.ts';
import { button, failure } from './elements.ts';

interface SignInProps {
  readonly message: string;
  readonly onSignedIn: () => Promise<void>;
}

export function SignIn({ message, onSignedIn }: SignInProps): ComponentChild {
  const [ways, setWays] = useState<ConsoleSignIn>();
  const [problem, setProblem] = useState(message);
  const [busy, setBusy] = useState(false);
  useEffect(() => setProblem(message), [message]);
  useEffect(() => {
    read<ConsoleSignIn>('sign-in').then(setWays, (error: unknown) => setProblem(describe(error)));
  }, []);
  const attempt = (way: () => Promise<void>) => () => {
    if (busy) return;
    setBusy(true);
    setProblem('');
    way()
      .catch((error: unknown) => setProblem(describe(error)))
      .finally(() => setBusy(false));
  };
  const byProvider = attempt(async () => {
    const { location } = await post<{ readonly location: string }>('sign-in/oidc', {});
    window.location.assign(location);
  });
  const byCertificate = attempt(async () => {
    await post('sign-in/certificate', {});
    await onSignedIn();
  });
  const again = attempt(async () => {
    setWays(await read<ConsoleSignIn>('sign-in'));
    // Whoever has a session already goes on with it.
    await onSignedIn();
  });
  return h(
    'main',
    { class: 'sign-in' },
    h(
      'div',
      { class: 'card' },
      h('img', { src: '/console/icon.svg', alt: '', width: 48, height: 48 }),
      h('h1', {}, 'Citadel'),
      h('p', {}, 'Sign in as an operator or an author of policies.'),
      ways?.oidc
        ? button('Sign in', byProvider, { class: 'primary', 'aria-disabled': busy ? 'true' : undefined })
        : null,
      ways?.clientCertificate
        ? button('Use a client certificate', byCertificate, {
            class: ways.oidc ? '' : 'primary',
            'aria-disabled': busy ? 'true' : undefined,
          })
        : null,
      problem === '' ? null : failure(problem),
      !ways && problem !== '' ? button('Try again', again) : null,
    ),
  );
}
