CREATE TABLE `caller_evidence` (
	`workload` text PRIMARY KEY NOT NULL,
	`updated_at` integer NOT NULL,
	`account` text NOT NULL,
	`ports` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `caller_evidence_by_time` ON `caller_evidence` (`updated_at`);