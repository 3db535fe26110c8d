import { z } from 'zod';

/** What filters leave in an access log's metadata. */
export const fieldsSchema = z.record(z.string(), z.unknown());
