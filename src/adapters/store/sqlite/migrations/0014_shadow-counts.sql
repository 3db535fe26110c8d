CREATE TABLE `shadow_tally` (
	`workload` text PRIMARY KEY NOT NULL,
	`trial` text NOT NULL,
	`each` integer NOT NULL,
	`sampled` integer NOT NULL,
	`different` integer NOT NULL,
	`unknown` integer NOT NULL,
	`last` integer NOT NULL,
	`differences` text NOT NULL,
	`kinds` integer NOT NULL,
	`more` integer NOT NULL,
	`earlier` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `shadow_watch` (
	`id` text PRIMARY KEY NOT NULL,
	`since` integer NOT NULL,
	`until` integer NOT NULL,
	`closed` integer NOT NULL
);
