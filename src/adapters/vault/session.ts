import { backoffDelay, describeError, isCitadelError, type Secret } from '../../kernel/index.ts';
import type { VaultCaller } from './caller.ts';
import { type Lease, type Login, readLease } from './login.ts';
import type { VaultConnectionOptions } from './options.ts';

type Ports = Pick<VaultConnectionOptions, 'clock' | 'entropy' | 'log'>;

const retry = { baseMilliseconds: 500, maximumMilliseconds: 30_000 };
const farewell = 1000;
const renewSelf = { path: 'auth/token/renew-self', capabilities: ['update'] };
const lookupSelf = { path: 'auth/token/lookup-self', capabilities: ['read'] };
const revokeSelf = { path: 'auth/token/revoke-self', capabilities: ['update'] };

/**
 * Keeps a token good: renews it at about two thirds of its life (earlier by up to a tenth, so that replicas do not come
 * together), logs in anew where renewal fails, where it no longer gives a full life, and where Vault no longer knows it.
 */
export class VaultSession {
  readonly #caller: VaultCaller;
  readonly #login: Login;
  readonly #ports: Ports;
  readonly #closed = new AbortController();
  #lease: Lease | undefined;
  #endsAt: number | undefined;
  #obtaining: Promise<Lease> | undefined;
  #keeper: Promise<void> | undefined;

  constructor(caller: VaultCaller, login: Login, ports: Ports) {
    this.#caller = caller;
    this.#login = login;
    this.#ports = ports;
  }

  /** A token that is believed to be good; logs in where there is none. */
  async token(): Promise<Secret<string>> {
    const ended = this.#endsAt !== undefined && this.#ports.clock.now().getTime() >= this.#endsAt;
    if (this.#lease && !(ended && this.#login.repeatable)) return this.#lease.token;
    return (await this.#obtain()).token;
  }

  /**
   * Vault refused a call with this token.
   * @returns another token to try it with; undefined when the token is good and its policy is what refuses
   */
  async afterRefusal(token: Secret<string>): Promise<Secret<string> | undefined> {
    if (this.#lease && this.#lease.token.reveal() !== token.reveal()) return this.#lease.token;
    if (!this.#login.repeatable || (await this.#isKnown(token))) return undefined;
    const { token: other } = await this.#obtain();
    return other.reveal() === token.reveal() ? undefined : other;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#keeper;
    const lease = this.#lease;
    this.#lease = undefined;
    if (!lease || !this.#login.owned) return;
    const call = { method: 'POST', path: revokeSelf.path, permission: revokeSelf, repeatable: true } as const;
    await this.#caller.call(call, lease.token, farewell).catch((error: unknown) => {
      this.#ports.log.debug('our Vault token was not revoked; it ends by itself', {
        error: describeError(error),
      });
    });
  }

  /** One login for all who wait for it. */
  async #obtain(): Promise<Lease> {
    this.#obtaining ??= this.#login
      .obtain(this.#caller)
      .then((lease) => {
        this.#ports.log.info('logged in to Vault', { method: this.#login.kind, ttl: lease.ttl });
        this.#adopt(lease);
        return lease;
      })
      .finally(() => {
        this.#obtaining = undefined;
      });
    return await this.#obtaining;
  }

  #adopt(lease: Lease): void {
    this.#lease = lease;
    this.#endsAt = lease.ttl === undefined ? undefined : this.#ports.clock.now().getTime() + lease.ttl;
    this.#keeper ??= this.#keep().finally(() => {
      this.#keeper = undefined;
    });
  }

  async #isKnown(token: Secret<string>): Promise<boolean> {
    const call = { method: 'GET', path: lookupSelf.path, permission: lookupSelf, repeatable: true } as const;
    try {
      await this.#caller.call(call, token);
      return true;
    } catch (error) {
      if (isCitadelError(error, 'PermissionDenied')) return false;
      throw error;
    }
  }

  async #keep(): Promise<void> {
    const { clock, entropy, log } = this.#ports;
    const { signal } = this.#closed;
    let failures = 0;
    // A token without a known end, or one that can be neither renewed nor had anew, needs no keeping.
    while (this.#lease?.ttl !== undefined && (this.#lease.renewable || this.#login.repeatable)) {
      const wait =
        failures === 0
          ? this.#lease.ttl * (2 / 3) * (0.9 + 0.1 * entropy.fraction())
          : backoffDelay(
              failures - 1,
              { ...retry, maximumMilliseconds: Math.min(retry.maximumMilliseconds, this.#lease.ttl) },
              entropy,
            );
      try {
        await clock.sleep(wait, signal);
      } catch {
        return;
      }
      try {
        await this.#refresh();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        log.warn('the Vault token was not renewed', {
          failures,
          error: describeError(error),
          endsAt: this.#endsAt,
        });
      }
    }
  }

  /** Renews the token or, where that fails or shortens its life, logs in. */
  async #refresh(): Promise<void> {
    const lease = this.#lease;
    if (lease?.renewable) {
      try {
        const call = {
          method: 'POST',
          path: renewSelf.path,
          permission: renewSelf,
          repeatable: true,
        } as const;
        const renewed = readLease((await this.#caller.call(call, lease.token))?.get('auth'));
        // Near its greatest life a token is renewed for what is left alone.
        const whole = renewed?.ttl === undefined || renewed.ttl >= (lease.ttl ?? 0) * 0.9;
        if (renewed && (whole || !this.#login.repeatable)) {
          if (this.#lease !== lease) return;
          this.#adopt(renewed);
          this.#ports.log.debug('Vault token renewed', { ttl: renewed.ttl });
          return;
        }
      } catch (error) {
        if (!this.#login.repeatable) throw error;
        this.#ports.log.info('the Vault token cannot be renewed; logging in again', {
          error: describeError(error),
        });
      }
    }
    await this.#obtain();
  }
}
