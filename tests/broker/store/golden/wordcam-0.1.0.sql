BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE alert (
	id INTEGER NOT NULL, 
	caption_id INTEGER NOT NULL, 
	rule VARCHAR(63) NOT NULL, 
	site VARCHAR(63) NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	recipient VARCHAR(64) NOT NULL, 
	phone VARCHAR(16) NOT NULL, 
	language VARCHAR(8) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	text VARCHAR(1600) NOT NULL, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	due_at DATETIME NOT NULL, 
	tried_at DATETIME, 
	sent_at DATETIME, 
	provider VARCHAR(16) NOT NULL, 
	provider_id VARCHAR(64) NOT NULL, 
	error VARCHAR(400) NOT NULL, 
	CONSTRAINT pk_alert PRIMARY KEY (id), 
	CONSTRAINT fk_alert_caption_id_caption FOREIGN KEY(caption_id) REFERENCES caption (id), 
	CONSTRAINT uq_alert_caption_id UNIQUE (caption_id, rule, recipient)
);
INSERT INTO "alert" VALUES(1,2,'gun','north-gate','critical','guard','+12025550143','en','sent','ALERT',1,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','twilio','SM1','');
INSERT INTO "alert" VALUES(2,4,'fire','north-gate','critical','guard','+12025550143','en','waiting','',0,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000',NULL,NULL,'','','');
CREATE TABLE caption (
	id INTEGER NOT NULL, 
	source VARCHAR(160) NOT NULL, 
	event_id VARCHAR(64) NOT NULL, 
	site VARCHAR(63) NOT NULL, 
	device VARCHAR(63) NOT NULL, 
	stream VARCHAR(63) NOT NULL, 
	seq INTEGER NOT NULL, 
	captured_at DATETIME NOT NULL, 
	received_at DATETIME NOT NULL, 
	text VARCHAR(200) NOT NULL, 
	language VARCHAR(16) NOT NULL, 
	confidence FLOAT NOT NULL, 
	labels JSON NOT NULL, 
	hazards JSON NOT NULL, 
	model VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_caption PRIMARY KEY (id), 
	CONSTRAINT uq_caption_source UNIQUE (source, event_id)
);
INSERT INTO "caption" VALUES(1,'/wordcam/north-gate/pi-01/cam-0','event-00000000','north-gate','pi-01','cam-0',0,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','a man walks','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO "caption" VALUES(2,'/wordcam/north-gate/pi-01/cam-0','event-00000001','north-gate','pi-01','cam-0',1,'2026-03-14 03:00:01.000000','2026-03-14 03:00:00.000000','a man is holding a gun','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO "caption" VALUES(3,'/wordcam/north-gate/pi-01/cam-0','event-00000002','north-gate','pi-01','cam-0',2,'2026-03-14 03:00:02.000000','2026-03-14 03:00:00.000000','a red fire hydrant','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO "caption" VALUES(4,'/wordcam/north-gate/pi-01/cam-0','event-00000003','north-gate','pi-01','cam-0',3,'2026-03-14 03:00:03.000000','2026-03-14 03:00:00.000000','a house is on fire','en',0.8,'[]','[]','wordcam-1@1.0.0');
CREATE TABLE decision (
	id INTEGER NOT NULL, 
	caption_id INTEGER NOT NULL, 
	rule VARCHAR(63) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	because VARCHAR(400) NOT NULL, 
	decided_at DATETIME NOT NULL, 
	CONSTRAINT pk_decision PRIMARY KEY (id), 
	CONSTRAINT fk_decision_caption_id_caption FOREIGN KEY(caption_id) REFERENCES caption (id)
);
INSERT INTO "decision" VALUES(1,2,'gun','first','says ''gun''','2026-03-14 03:00:00.000000');
INSERT INTO "decision" VALUES(2,3,'fire','cancelled','only in ''fire hydrant''','2026-03-14 03:00:00.000000');
INSERT INTO "decision" VALUES(3,4,'fire','first','says ''fire''','2026-03-14 03:00:00.000000');
CREATE TABLE device (
	site VARCHAR(63) NOT NULL, 
	device VARCHAR(63) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	since DATETIME NOT NULL, 
	heard_at DATETIME NOT NULL, 
	reason VARCHAR(120) NOT NULL, 
	version VARCHAR(32) NOT NULL, 
	model VARCHAR(64) NOT NULL, 
	ledger JSON NOT NULL, 
	stages JSON NOT NULL, 
	CONSTRAINT pk_device PRIMARY KEY (site, device)
);
INSERT INTO "device" VALUES('north-gate','pi-01','online','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','','','','{}','[]');
CREATE TABLE refusal (
	reason VARCHAR(32) NOT NULL, 
	topic VARCHAR(200) NOT NULL, 
	count INTEGER NOT NULL, 
	first_at DATETIME NOT NULL, 
	last_at DATETIME NOT NULL, 
	detail VARCHAR(400) NOT NULL, 
	sample BLOB NOT NULL, 
	CONSTRAINT pk_refusal PRIMARY KEY (reason, topic)
);
INSERT INTO "refusal" VALUES('not-ours','x/y',1,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','''x/y'' is not wordcam/v1/<site>/<device>/<caption|status|ack>',X'FF');
CREATE INDEX ix_caption_site_captured_at ON caption (site, captured_at);
CREATE INDEX ix_decision_caption_id ON decision (caption_id);
CREATE INDEX ix_alert_state_due_at ON alert (state, due_at);
CREATE INDEX ix_alert_rule_site_state ON alert (rule, site, state);
COMMIT;
