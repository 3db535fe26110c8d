CREATE TABLE `bundle_content` (
	`content_version` text PRIMARY KEY NOT NULL,
	`roots` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `rotation` (
	`id` text PRIMARY KEY NOT NULL,
	`phase` text NOT NULL,
	`phase_since` integer NOT NULL,
	`old_root` text NOT NULL,
	`new_root` text,
	`algorithm` text NOT NULL,
	`lifetime` integer NOT NULL,
	`started_at` integer NOT NULL,
	`started_by` text NOT NULL,
	`reason` text NOT NULL,
	`words` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rotation_under_way` ON `rotation` ((1)) WHERE phase not in ('done', 'aborted');--> statement-breakpoint
CREATE INDEX `rotation_by_start` ON `rotation` (`started_at`);