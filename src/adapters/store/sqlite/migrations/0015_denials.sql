CREATE TABLE `denial` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`told` integer NOT NULL,
	`workload` text NOT NULL,
	`callee` text NOT NULL,
	`account` text,
	`proved` integer NOT NULL,
	`caller` text NOT NULL,
	`address` text NOT NULL,
	`record` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `denial_id_unique` ON `denial` (`id`);--> statement-breakpoint
CREATE INDEX `denial_by_caller` ON `denial` (`proved`,`workload`,`caller`,`sequence`);--> statement-breakpoint
CREATE INDEX `denial_by_workload` ON `denial` (`proved`,`workload`,`sequence`);--> statement-breakpoint
CREATE INDEX `denial_by_time` ON `denial` (`told`);