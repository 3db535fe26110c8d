import { citadelSide } from './citadel-side.ts';
import { createFixture } from './fixture.ts';
import { goSide } from './go-side.ts';
import { measure, printRates, type Rate } from './measure.ts';
import { opensslSides } from './openssl-side.ts';
import { peculiarSide } from './peculiar-side.ts';

/** Issuance in one process, without store and network, against others that do the same. */
export async function inProcess(seconds: number): Promise<void> {
  const fixture = await createFixture();
  const go = goSide(fixture);
  const citadel = citadelSide(fixture);
  const sides = [...(await opensslSides()), ...(go ? [go] : []), await peculiarSide(fixture), citadel];
  try {
    const rates = await measure(sides, seconds);
    console.log(
      'In process: read the request, verify it, sign, check the signature; P-256, certificates a CPU second',
    );
    printRates(rates);
    const ours = rates.at(-1)?.perCpuSecond ?? 0;
    for (const rate of rates.slice(0, -1)) printRatio(ours, rate);
  } finally {
    for (const side of sides) side.close?.();
  }
}

function printRatio(ours: number, { name, perCpuSecond }: Rate): void {
  console.log(`  Citadel / ${name}: ${(ours / perCpuSecond).toFixed(2)}`);
}
