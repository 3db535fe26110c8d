import type { Measured } from './measure.ts';

const median = (measured: readonly Measured[], key: keyof Measured): number =>
  measured.map((each) => each[key]).toSorted((a, b) => a - b)[measured.length >> 1] ?? Number.NaN;

/** Medians of both sides, and of the ratio of each round. */
export function print(rules: number, without: readonly Measured[], beside: readonly Measured[]): void {
  const line = (what: string, value: (key: keyof Measured) => string) =>
    console.log(
      `  ${what.padEnd(9)} ${value('perSecond').padStart(8)} requests/s   p50 ${value('p50').padStart(6)}   p99 ${value('p99').padStart(6)}   Envoy CPU ${value('cpu').padStart(6)}`,
    );
  const unit = { perSecond: '', p50: ' ms', p99: ' ms', cpu: ' us' } as const;
  const digits = { perSecond: 0, p50: 2, p99: 2, cpu: 1 } as const;
  const shown = (measured: readonly Measured[]) => (key: keyof Measured) =>
    `${median(measured, key).toFixed(digits[key])}${unit[key]}`;
  console.log(`\n${rules} rules, and as many in the candidate`);
  line('without', shown(without));
  line('beside', shown(beside));
  line('ratio', (key) => {
    const ratios = beside.map((each, round) => each[key] / (without[round]?.[key] ?? Number.NaN));
    return (ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? Number.NaN).toFixed(2);
  });
}
