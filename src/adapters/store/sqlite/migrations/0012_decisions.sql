CREATE TABLE `decision_record` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`identity` text NOT NULL,
	`workload` text NOT NULL,
	`service_account` text,
	`labels` text NOT NULL,
	`port` integer NOT NULL,
	`transport` text NOT NULL,
	`caller` text,
	`addresses` text NOT NULL,
	`method` text,
	`path` text,
	`host` text,
	`server_name` text,
	`decision` text NOT NULL,
	`refused_by` text,
	`policy` text,
	`rule` integer,
	`sampled` integer NOT NULL,
	`lacks` text NOT NULL,
	`period` integer NOT NULL,
	`first` integer NOT NULL,
	`last` integer NOT NULL,
	`count` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `decision_record_identity_unique` ON `decision_record` (`identity`);--> statement-breakpoint
CREATE INDEX `decision_record_by_workload` ON `decision_record` (`workload`,`sequence`);--> statement-breakpoint
CREATE INDEX `decision_record_by_period` ON `decision_record` (`period`,`sequence`);--> statement-breakpoint
CREATE INDEX `decision_record_by_time` ON `decision_record` (`last`);--> statement-breakpoint
CREATE TABLE `forgotten_decisions` (
	`id` integer PRIMARY KEY NOT NULL,
	`calls` integer NOT NULL,
	`until` integer NOT NULL,
	CONSTRAINT "forgotten_decisions_one_row" CHECK(id = 1)
);
