import {
  type AccessLogFilter,
  AccessLogFilter as Filter,
} from '../../../gen/envoy/config/accesslog/v3/accesslog.ts';
import type { AccessLogType } from '../../../gen/envoy/data/accesslog/v3/accesslog.ts';
import { ExpressionFilter } from '../../../gen/envoy/extensions/access_loggers/filters/cel/v3/cel.ts';
import type { ValueMatcher } from '../../../gen/envoy/type/matcher/v3/value.ts';
import { FractionalPercent_DenominatorType } from '../../../gen/envoy/type/v3/percent.ts';
import { pack } from '../messages/any.ts';

/** What an access log takes. */
export const anyOf = (...filters: AccessLogFilter[]): AccessLogFilter =>
  Filter.fromPartial({ filterSpecifier: { $case: 'orFilter', value: { filters } } });

export const allOf = (...filters: AccessLogFilter[]): AccessLogFilter =>
  Filter.fromPartial({ filterSpecifier: { $case: 'andFilter', value: { filters } } });

export const ofType = (...types: AccessLogType[]): AccessLogFilter =>
  Filter.fromPartial({ filterSpecifier: { $case: 'logTypeFilter', value: { types } } });

/** Envoy's response flags, as its own access log writes them. */
export const flagged = (...flags: string[]): AccessLogFilter =>
  Filter.fromPartial({ filterSpecifier: { $case: 'responseFlagFilter', value: { flags } } });

export function expression(cel: string): AccessLogFilter {
  return Filter.fromPartial({
    filterSpecifier: {
      $case: 'extensionFilter',
      value: {
        name: 'envoy.access_loggers.extension_filters.cel',
        configType: {
          $case: 'typedConfig',
          value: pack(
            'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
            ExpressionFilter,
            ExpressionFilter.fromPartial({ expression: cel }),
          ),
        },
      },
    },
  });
}

/** Each by a throw of its own: by a request's id, a caller could choose what is logged. */
export function sampled(percent: number): AccessLogFilter {
  return Filter.fromPartial({
    filterSpecifier: {
      $case: 'runtimeFilter',
      value: {
        runtimeKey: 'citadel.access_log_sample',
        percentSampled: {
          numerator: Math.round(percent * 10_000),
          denominator: FractionalPercent_DenominatorType.MILLION,
        },
        useIndependentRandomness: true,
      },
    },
  });
}

/** What a filter left under a key. */
export function left(filter: string, key: string, value: ValueMatcher): AccessLogFilter {
  return Filter.fromPartial({
    filterSpecifier: {
      $case: 'metadataFilter',
      value: {
        matcher: { filter, path: [{ segment: { $case: 'key', value: key } }], value },
        matchIfKeyNotFound: false,
      },
    },
  });
}
