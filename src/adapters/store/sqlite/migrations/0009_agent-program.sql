ALTER TABLE `proxy_report` ADD `agent_program` text;--> statement-breakpoint
ALTER TABLE `rotation` ADD `cross_sign` integer DEFAULT false NOT NULL;