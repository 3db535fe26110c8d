CREATE TABLE `crl` (
	`issuer` text PRIMARY KEY NOT NULL,
	`number` integer NOT NULL,
	`der` blob NOT NULL,
	`signed_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `revoked_authority` (
	`fingerprint` text PRIMARY KEY NOT NULL,
	`not_after` integer NOT NULL,
	`revoked_at` integer NOT NULL,
	`revoked_by` text NOT NULL,
	`code` text NOT NULL,
	`reason` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `revoked_certificate` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`serial` text NOT NULL,
	`spiffe_id` text NOT NULL,
	`issuer` text NOT NULL,
	`not_after` integer NOT NULL,
	`revoked_at` integer NOT NULL,
	`revoked_by` text NOT NULL,
	`code` text NOT NULL,
	`reason` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `revoked_certificate_serial_unique` ON `revoked_certificate` (`serial`);--> statement-breakpoint
ALTER TABLE `proxy_report` ADD `crl_version` text;