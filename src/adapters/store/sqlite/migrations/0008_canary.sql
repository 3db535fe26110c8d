ALTER TABLE `issuance` ADD `reported` integer;--> statement-breakpoint
ALTER TABLE `proxy_report` ADD `handshakes` text;--> statement-breakpoint
ALTER TABLE `rotation` ADD `canary` text;