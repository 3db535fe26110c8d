CREATE TABLE `drain` (
	`generation` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`cause` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `drain_cause_unique` ON `drain` (`cause`);