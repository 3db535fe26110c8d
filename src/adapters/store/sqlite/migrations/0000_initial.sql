CREATE TABLE `audit` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`action` text NOT NULL,
	`outcome` text NOT NULL,
	`subject` text NOT NULL,
	`proof` text NOT NULL,
	`target` text NOT NULL,
	`reason` text NOT NULL,
	`details` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_by_action` ON `audit` (`action`);--> statement-breakpoint
CREATE INDEX `audit_by_subject` ON `audit` (`subject`);--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit` (`at`);--> statement-breakpoint
CREATE TABLE `authority` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`tainted` integer NOT NULL,
	`key_backend` text NOT NULL,
	`key_id` text NOT NULL,
	`certificate` blob NOT NULL,
	`fingerprint` text NOT NULL,
	`root_fingerprint` text NOT NULL,
	`server_id` text,
	`not_before` integer NOT NULL,
	`not_after` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `authority_intermediate` (
	`authority_id` text NOT NULL,
	`position` integer NOT NULL,
	`certificate` blob NOT NULL,
	PRIMARY KEY(`authority_id`, `position`),
	FOREIGN KEY (`authority_id`) REFERENCES `authority`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `bundle_state` (
	`id` integer PRIMARY KEY NOT NULL,
	`sequence` integer NOT NULL,
	`content_version` text NOT NULL,
	CONSTRAINT "bundle_state_one_row" CHECK(id = 1)
);
--> statement-breakpoint
CREATE TABLE `issuance` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`serial` text NOT NULL,
	`spiffe_id` text NOT NULL,
	`principal` text NOT NULL,
	`proxy_key` text NOT NULL,
	`issuer` text NOT NULL,
	`tbs_digest` text NOT NULL,
	`bundle_version` text NOT NULL,
	`not_before` integer NOT NULL,
	`not_after` integer NOT NULL,
	`recorded_at` integer NOT NULL,
	`state` text DEFAULT 'intended' NOT NULL,
	`certificate` blob,
	`reason` text,
	CONSTRAINT "issuance_state" CHECK(state in ('intended', 'issued', 'failed', 'abandoned')),
	CONSTRAINT "issuance_certificate" CHECK((state = 'issued') = (certificate is not null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `issuance_serial_unique` ON `issuance` (`serial`);--> statement-breakpoint
CREATE INDEX `issuance_by_spiffe_id` ON `issuance` (`spiffe_id`);--> statement-breakpoint
CREATE INDEX `issuance_by_not_after` ON `issuance` (`not_after`);--> statement-breakpoint
CREATE INDEX `issuance_live` ON `issuance` (`issuer`,`bundle_version`,`not_after`) WHERE state = 'issued';--> statement-breakpoint
CREATE INDEX `issuance_unresolved` ON `issuance` (`sequence`) WHERE state = 'intended';--> statement-breakpoint
CREATE TABLE `one_time_credential` (
	`digest` text PRIMARY KEY NOT NULL,
	`role` text NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `operator` (
	`subject` text PRIMARY KEY NOT NULL,
	`role` text NOT NULL,
	`granted_at` integer NOT NULL,
	`granted_by` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `probe` (
	`id` integer PRIMARY KEY NOT NULL,
	`written_at` integer NOT NULL,
	CONSTRAINT "probe_one_row" CHECK(id = 1)
);
--> statement-breakpoint
CREATE TABLE `proxy_report` (
	`proxy_key` text PRIMARY KEY NOT NULL,
	`spiffe_id` text NOT NULL,
	`svid_serial` text NOT NULL,
	`principal` text NOT NULL,
	`agent_version` text NOT NULL,
	`agent_bundle_version` text NOT NULL,
	`connected` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`consumers` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `proxy_report_by_last_seen` ON `proxy_report` (`last_seen_at`);