CREATE TABLE `policy_candidate` (
	`slot` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`at` integer NOT NULL,
	`by` text NOT NULL,
	`reason` text NOT NULL,
	`base` integer NOT NULL,
	CONSTRAINT "policy_candidate_one_row" CHECK(slot = 1)
);
--> statement-breakpoint
CREATE TABLE `policy_candidate_object` (
	`kind` text NOT NULL,
	`namespace` text NOT NULL,
	`name` text NOT NULL,
	`text` text,
	`hash` text NOT NULL,
	PRIMARY KEY(`kind`, `namespace`, `name`)
);
