CREATE TABLE `enforcement_run` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`started_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`run` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `enforcement_run_by_start` ON `enforcement_run` (`started_at`,`id`);