CREATE TABLE `unrecorded` (
	`until` integer PRIMARY KEY NOT NULL
);
