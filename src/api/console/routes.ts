import type { ConsoleSignIn, ConsoleWhoAmI } from '../../wire/console.ts';
import { createBounds } from './bounds.ts';
import { writeCookie } from './cookies.ts';
import { editorRoutes } from './editor-routes.ts';
import { readNothing } from './input.ts';
import { revisionRoutes } from './revision-routes.ts';
import type { ConsoleRoute } from './route.ts';
import type { ConsoleServices } from './services.ts';

/** Every call of the console, and what it asks of its caller: by the methods of the operator API, one table for both. */
export function consoleRoutes(services: ConsoleServices): readonly ConsoleRoute[] {
  const { sessions } = services;
  const bounds = createBounds();
  return [
    {
      route: 'GET sign-in',
      needs: 'nobody',
      signsIn: false,
      answer: () => ({ body: sessions.ways satisfies ConsoleSignIn }),
    },
    {
      route: 'POST sign-in/oidc',
      needs: 'nobody',
      signsIn: true,
      async answer({ body, redirectUri }) {
        readNothing(body);
        const { location, token } = await sessions.beginSignIn(redirectUri);
        return { body: { location }, cookies: [writeCookie('signIn', token)] };
      },
    },
    {
      route: 'POST sign-in/certificate',
      needs: 'nobody',
      signsIn: true,
      async answer({ body, clientCertificate, session }) {
        readNothing(body);
        const { token } = await sessions.signInByCertificate(clientCertificate);
        if (session) await sessions.signOut(session);
        return { body: {}, cookies: [writeCookie('session', token)] };
      },
    },
    {
      route: 'POST sign-out',
      needs: 'nobody',
      signsIn: false,
      async answer({ body, session }) {
        readNothing(body);
        if (session) await sessions.signOut(session);
        return { body: {}, cookies: [writeCookie('session', undefined)] };
      },
    },
    {
      route: 'GET whoami',
      needs: 'whoAmI',
      answer: (_, { caller, endsAt }) => ({
        body: {
          subject: caller.subject,
          proof: caller.proof,
          role: caller.effectiveRole,
          endsAt: endsAt.toISOString(),
          trustDomain: services.trustDomain,
          version: services.version,
        } satisfies ConsoleWhoAmI,
      }),
    },
    ...editorRoutes(services, bounds),
    ...revisionRoutes(services, bounds),
  ];
}
