CREATE TABLE `policy_revision` (
	`revision` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`by` text NOT NULL,
	`reason` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `policy_version` (
	`revision` integer NOT NULL,
	`kind` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`text` text,
	`hash` text NOT NULL,
	PRIMARY KEY(`kind`, `namespace`, `name`, `revision`),
	FOREIGN KEY (`revision`) REFERENCES `policy_revision`(`revision`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `policy_version_by_revision` ON `policy_version` (`revision`);