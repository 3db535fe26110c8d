import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hasPart, type OpenBao, startOpenBao } from '../../parts/index.ts';

const signed = z.object({ data: z.object({ signature: z.string() }) });
const exported = z.object({
  data: z.object({ keys: z.object({ 1: z.object({ public_key: z.string() }) }) }),
});

describe.skipIf(!hasPart('openbao'))('startOpenBao', () => {
  let bao: OpenBao;
  beforeAll(async () => {
    bao = await startOpenBao();
    await bao.request('POST', 'sys/mounts/transit', { type: 'transit' });
    await bao.request('POST', 'transit/keys/root', { type: 'ecdsa-p256' });
  });
  afterAll(async () => {
    await bao[Symbol.asyncDispose]();
  });

  async function signs(): Promise<boolean> {
    const message = Buffer.from('to be signed');
    const input = createHash('sha256').update(message).digest('base64');
    const options = { input, prehashed: true, hash_algorithm: 'sha2-256', marshaling_algorithm: 'asn1' };
    const { signature } = signed.parse(await bao.request('POST', 'transit/sign/root', options)).data;
    const key = exported.parse(await bao.request('GET', 'transit/keys/root')).data.keys[1].public_key;
    const der = Buffer.from(signature.replace(/^vault:v1:/, ''), 'base64');
    return verify('sha256', message, createPublicKey(key), der);
  }

  it('signs with a transit key', async () => {
    expect(await signs()).toBe(true);
  });

  it('refuses while it is sealed, and signs again after unseal', async () => {
    await bao.seal();
    await expect(signs()).rejects.toMatchObject({ status: 503 });
    await bao.unseal();
    expect(await signs()).toBe(true);
  });

  it('comes back from a restart sealed, at its address, with its keys', async () => {
    const { address } = bao;
    await bao.restart({ unseal: false });
    expect(bao.address).toBe(address);
    await expect(signs()).rejects.toMatchObject({ status: 503 });
    await bao.unseal();
    expect(await signs()).toBe(true);
  });

  it('keeps its keys over kill -9', async () => {
    await bao.restart({ kill: true });
    expect(await signs()).toBe(true);
  });

  it('refuses connections while it is stopped', async () => {
    await bao.stop();
    await expect(signs()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await bao.start();
    await bao.unseal();
    expect(await signs()).toBe(true);
  });

  it('refuses a caller without a token', async () => {
    await expect(bao.request('GET', 'transit/keys/root', undefined, { token: null })).rejects.toMatchObject({
      status: 403,
    });
  });
});
