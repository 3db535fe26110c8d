import { shareKubeApi } from './kubeapi/index.ts';

/** Vitest's globalSetup: what the test files of one run share. Nothing is started before one of them asks for it. */
export default async function setup(): Promise<() => Promise<void>> {
  const kubeApi = await shareKubeApi();
  return async () => {
    await kubeApi[Symbol.asyncDispose]();
  };
}
