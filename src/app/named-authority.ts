import type { AuthorityService } from '../domain/authority/index.ts';
import type { RotationService } from '../domain/rotation/index.ts';
import { parseCertificate } from '../pki/index.ts';
import type { Probe } from './health.ts';
import { readNamedExisting, signsElsewhere, type UpstreamOptions } from './upstream.ts';

/** What the configuration says of roots and is not so: a setting alone changes none, and would be taken for the truth. */
export function namedAuthorityProbes(
  { config }: Pick<UpstreamOptions, 'config'>,
  authority: Pick<AuthorityService, 'records'>,
  rotation: Pick<RotationService, 'current'>,
): Probe[] {
  const { origin } = config.authority;
  if (origin.kind === 'root') return [];
  const isInUse = async () => {
    if (origin.kind === 'upstream') return signsElsewhere(authority);
    const { fingerprint } = parseCertificate((await readNamedExisting(origin.value)).certificate);
    return authority
      .records()
      .some((record) => record.fingerprint === fingerprint && record.state !== 'retired');
  };
  return [
    {
      name: 'named-authority',
      why: `authority.${origin.kind} in the configuration is not what signs`,
      mend: `citadel rotate plan --from ${origin.kind}, or take authority.${origin.kind} out of the configuration`,
      essential: false,
      run: async () => {
        if ((await rotation.current()) || (await isInUse())) return undefined;
        return `the configuration names an authority in authority.${origin.kind}, and another root is active`;
      },
    },
  ];
}
