PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
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
CREATE TABLE incident (
	id INTEGER NOT NULL, 
	site VARCHAR(63) NOT NULL, 
	danger VARCHAR(63) NOT NULL, 
	open_key VARCHAR(127), 
	rule VARCHAR(63) NOT NULL, 
	severity VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	opened_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	sightings INTEGER NOT NULL, 
	cameras JSON NOT NULL, 
	caption_id INTEGER NOT NULL, 
	tellings INTEGER NOT NULL, 
	told JSON NOT NULL, 
	step INTEGER NOT NULL, 
	stepped_at DATETIME, 
	acknowledged_at DATETIME, 
	acknowledged_by VARCHAR(64) NOT NULL, 
	acknowledged_how VARCHAR(16) NOT NULL, 
	closed_at DATETIME, 
	closed_by VARCHAR(64) NOT NULL, 
	due_at DATETIME, 
	CONSTRAINT pk_incident PRIMARY KEY (id), 
	CONSTRAINT uq_incident_open_key UNIQUE (open_key)
);
CREATE TABLE incident_event (
	id INTEGER NOT NULL, 
	incident_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	"by" VARCHAR(64) NOT NULL, 
	detail VARCHAR(400) NOT NULL, 
	caption_id INTEGER, 
	CONSTRAINT pk_incident_event PRIMARY KEY (id), 
	CONSTRAINT fk_incident_event_incident_id_incident FOREIGN KEY(incident_id) REFERENCES incident (id)
);
CREATE TABLE silence (
	id INTEGER NOT NULL, 
	author VARCHAR(64) NOT NULL, 
	reason VARCHAR(400) NOT NULL, 
	matchers JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	starts_at DATETIME NOT NULL, 
	ends_at DATETIME NOT NULL, 
	ended_by VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_silence PRIMARY KEY (id)
);
CREATE TABLE contact (
	name VARCHAR(64) NOT NULL, 
	away_until DATETIME, 
	away_because VARCHAR(400) NOT NULL, 
	heard_at DATETIME, 
	CONSTRAINT pk_contact PRIMARY KEY (name)
);
CREATE TABLE "decision" (
	id INTEGER NOT NULL, 
	caption_id INTEGER NOT NULL, 
	rule VARCHAR(63) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	because VARCHAR(400) NOT NULL, 
	decided_at DATETIME NOT NULL, 
	incident_id INTEGER, 
	CONSTRAINT pk_decision PRIMARY KEY (id), 
	CONSTRAINT fk_decision_caption_id_caption FOREIGN KEY(caption_id) REFERENCES caption (id), 
	CONSTRAINT fk_decision_incident_id_incident FOREIGN KEY(incident_id) REFERENCES incident (id)
);
CREATE TABLE "alert" (
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
	"key" VARCHAR(160) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	incident_id INTEGER, 
	because VARCHAR(400) NOT NULL, 
	facts JSON NOT NULL, 
	told_in INTEGER, 
	link_used_at DATETIME, 
	CONSTRAINT pk_alert PRIMARY KEY (id), 
	CONSTRAINT fk_alert_caption_id_caption FOREIGN KEY(caption_id) REFERENCES caption (id), 
	CONSTRAINT uq_alert_key UNIQUE ("key"), 
	CONSTRAINT fk_alert_incident_id_incident FOREIGN KEY(incident_id) REFERENCES incident (id), 
	CONSTRAINT fk_alert_told_in_alert FOREIGN KEY(told_in) REFERENCES alert (id)
);
CREATE TABLE account (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	language VARCHAR(8) NOT NULL, 
	password VARCHAR(200) NOT NULL, 
	password_at DATETIME NOT NULL, 
	created_at DATETIME NOT NULL, 
	disabled_at DATETIME, 
	CONSTRAINT pk_account PRIMARY KEY (id), 
	CONSTRAINT uq_account_name UNIQUE (name)
);
CREATE TABLE web_session (
	digest VARCHAR(64) NOT NULL, 
	account_id INTEGER NOT NULL, 
	csrf VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_web_session PRIMARY KEY (digest), 
	CONSTRAINT fk_web_session_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);
CREATE TABLE api_token (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	label VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	used_at DATETIME, 
	CONSTRAINT pk_api_token PRIMARY KEY (id), 
	CONSTRAINT uq_api_token_digest UNIQUE (digest), 
	CONSTRAINT fk_api_token_account_id_account FOREIGN KEY(account_id) REFERENCES account (id) ON DELETE CASCADE
);
CREATE TABLE login_failure (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_login_failure PRIMARY KEY (id)
);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR(64) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	subject VARCHAR(120) NOT NULL, 
	detail VARCHAR(400) NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (id)
);
CREATE TABLE caption_words (
	caption_id INTEGER NOT NULL, 
	translated VARCHAR(400) NOT NULL, 
	words TEXT NOT NULL, 
	CONSTRAINT pk_caption_words PRIMARY KEY (caption_id), 
	CONSTRAINT fk_caption_words_caption_id_caption FOREIGN KEY(caption_id) REFERENCES caption (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE caption_fts USING fts5(
  words, content='caption_words', content_rowid='caption_id', tokenize='unicode61 remove_diacritics 0');
CREATE TABLE ledger_sample (
	site VARCHAR(63) NOT NULL, 
	device VARCHAR(63) NOT NULL, 
	hour DATETIME NOT NULL, 
	sent_bytes BIGINT NOT NULL, 
	video_bytes BIGINT NOT NULL, 
	CONSTRAINT pk_ledger_sample PRIMARY KEY (site, device, hour)
);
CREATE TABLE "plan" (
	site VARCHAR(63) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	picture BLOB NOT NULL, 
	uploaded_at DATETIME NOT NULL, 
	CONSTRAINT pk_plan PRIMARY KEY (site)
);
CREATE TABLE plan_place (
	site VARCHAR(63) NOT NULL, 
	device VARCHAR(63) NOT NULL, 
	x FLOAT NOT NULL, 
	y FLOAT NOT NULL, 
	CONSTRAINT pk_plan_place PRIMARY KEY (site, device)
);
CREATE TABLE resend (
	id INTEGER NOT NULL, 
	alert_id INTEGER NOT NULL, 
	asked_at DATETIME NOT NULL, 
	asked_by VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_resend PRIMARY KEY (id), 
	CONSTRAINT fk_resend_alert_id_alert FOREIGN KEY(alert_id) REFERENCES alert (id)
);
CREATE TABLE delivery (
	provider VARCHAR(16) NOT NULL, 
	provider_id VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	detail VARCHAR(200) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_delivery PRIMARY KEY (provider, provider_id)
);
CREATE TABLE reply (
	provider VARCHAR(16) NOT NULL, 
	provider_id VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	phone VARCHAR(16) NOT NULL, 
	recipient VARCHAR(64) NOT NULL, 
	text VARCHAR(400) NOT NULL, 
	meaning VARCHAR(16) NOT NULL, 
	effect VARCHAR(16) NOT NULL, 
	incident_id INTEGER, 
	CONSTRAINT pk_reply PRIMARY KEY (provider, provider_id)
);
CREATE TABLE translation (
	service VARCHAR(16) NOT NULL, 
	target VARCHAR(8) NOT NULL, 
	original VARCHAR(200) NOT NULL, 
	translated VARCHAR(800) NOT NULL, 
	made_at DATETIME NOT NULL, 
	CONSTRAINT pk_translation PRIMARY KEY (service, target, original)
);
CREATE TRIGGER caption_words_added AFTER INSERT ON caption_words BEGIN
  INSERT INTO caption_fts(rowid, words) VALUES (new.caption_id, new.words);
END;
CREATE TRIGGER caption_words_gone AFTER DELETE ON caption_words BEGIN
  INSERT INTO caption_fts(caption_fts, rowid, words) VALUES ('delete', old.caption_id, old.words);
END;
INSERT INTO alembic_version VALUES('0004');
INSERT INTO caption VALUES(1,'/wordcam/north-gate/pi-01/cam-0','event-00000001','north-gate','pi-01','cam-0',1,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','a man walks','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO caption VALUES(2,'/wordcam/north-gate/pi-01/cam-0','event-00000002','north-gate','pi-01','cam-0',2,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','a man with a gun','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO caption VALUES(3,'/wordcam/north-gate/pi-01/cam-1','event-00000003','north-gate','pi-01','cam-1',3,'2026-03-14 04:00:00.000000','2026-03-14 04:00:00.000000','fire','en',0.8,'[]','[]','wordcam-1@1.0.0');
INSERT INTO device VALUES('north-gate','pi-01','online','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','','','','{"frames": 0, "captions": 0, "sent_bytes": 9, "video_bytes": 0, "waiting": 0, "given_up": 0}','[]');
INSERT INTO refusal VALUES('not-json','wordcam/v1/north-gate/pi-01/caption',1,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','expected value',X'7B');
INSERT INTO incident VALUES(1,'north-gate','gun',NULL,'gun','critical','resolved','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000',1,'["pi-01/cam-0"]',2,1,'{"severity": "critical", "cameras": ["pi-01/cam-0"]}',0,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','guard','sms','2026-03-14 03:00:00.000000','guard',NULL);
INSERT INTO incident VALUES(2,'north-gate','fire','north-gate/fire','fire','critical','open','2026-03-14 04:00:00.000000','2026-03-14 04:00:00.000000',1,'["pi-01/cam-1"]',3,1,'{"severity": "critical", "cameras": ["pi-01/cam-1"]}',0,'2026-03-14 04:00:00.000000',NULL,'','',NULL,'','2026-03-14 04:00:00.000000');
INSERT INTO incident_event VALUES(1,1,'2026-03-14 03:00:00.000000','opened','','gun at pi-01/cam-0: says ''gun''',2);
INSERT INTO incident_event VALUES(2,1,'2026-03-14 03:00:00.000000','told','','first: guard: nobody was told yet',2);
INSERT INTO incident_event VALUES(3,1,'2026-03-14 03:00:00.000000','acknowledged','guard','sms',NULL);
INSERT INTO incident_event VALUES(4,1,'2026-03-14 03:00:00.000000','note','guard','on my way',NULL);
INSERT INTO incident_event VALUES(5,1,'2026-03-14 03:00:00.000000','resolved','guard','console',NULL);
INSERT INTO incident_event VALUES(6,2,'2026-03-14 04:00:00.000000','opened','','fire at pi-01/cam-1: says ''fire''',3);
INSERT INTO incident_event VALUES(7,2,'2026-03-14 04:00:00.000000','told','','first: guard: nobody was told yet',3);
INSERT INTO silence VALUES(1,'kim','welding','{"site": ["pier"]}','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','2026-03-14 04:00:00.000000','');
INSERT INTO contact VALUES('guard',NULL,'','2026-03-14 03:00:00.000000');
INSERT INTO decision VALUES(1,2,'gun','first','says ''gun''; nobody was told yet','2026-03-14 03:00:00.000000',1);
INSERT INTO decision VALUES(2,3,'fire','first','says ''fire''; nobody was told yet','2026-03-14 04:00:00.000000',2);
INSERT INTO alert VALUES(1,2,'gun','north-gate','critical','guard','+12025550143','en','sent','ALERT gun',1,'2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','test','T1','','incident/1/1/guard','first',1,'nobody was told yet','{"opened_at": "2026-03-14T03:00:00+00:00", "cameras": ["pi-01/cam-0"], "sightings": 1}',NULL,NULL);
INSERT INTO alert VALUES(2,3,'fire','north-gate','critical','guard','+12025550143','en','waiting','',0,'2026-03-14 04:00:00.000000','2026-03-14 04:00:00.000000',NULL,NULL,'','','','incident/2/1/guard','first',2,'nobody was told yet','{"opened_at": "2026-03-14T04:00:00+00:00", "cameras": ["pi-01/cam-1"], "sightings": 1}',NULL,NULL);
INSERT INTO account VALUES(1,'kim','administrator','ko','no hash','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000',NULL);
INSERT INTO web_session VALUES('fb95172eadc67b1aed31513513a99e7c9e51a8ad7fef9a3457e0e7926b37982a',1,'DdqUNtLDKCfjrUysZxiWVjG_IuKX1NINLgZbSaHA47Q','2026-03-14 03:00:00.000000','2026-03-14 03:00:00.000000','127.0.0.1');
INSERT INTO api_token VALUES(1,1,'test','4fe50a68379e35210f1b83f355b426624fda6354ed3ed6c78f52ad9f0e814027','2026-03-14 03:00:00.000000','2026-03-15 03:00:00.000000',NULL);
INSERT INTO login_failure VALUES(1,'2026-03-14 03:00:00.000000','kim','127.0.0.1');
INSERT INTO audit VALUES(1,'2026-03-14 03:00:00.000000','kim','terminal','login','','');
INSERT INTO caption_words VALUES(1,'','a man walk');
INSERT INTO caption_words VALUES(2,'','a man with gun');
INSERT INTO caption_words VALUES(3,'','fire');
INSERT INTO ledger_sample VALUES('north-gate','pi-01','2026-03-14 03:00:00.000000',9,0);
INSERT INTO plan VALUES('north-gate','image/png',2,2,X'89504E47','2026-03-14 03:00:00.000000');
INSERT INTO plan_place VALUES('north-gate','pi-01',0.5,0.5);
INSERT INTO resend VALUES(1,1,'2026-03-14 03:00:00.000000','kim');
INSERT INTO delivery VALUES('test','T1','delivered','','2026-03-14 03:00:00.000000');
INSERT INTO reply VALUES('twilio','SM1','2026-03-14 03:00:00.000000','+12025550143','guard','ok','acknowledge','done',1);
INSERT INTO translation VALUES('deepl','ko','a man walks','한 남자가 걷는다','2026-03-14 03:00:00.000000');
CREATE INDEX ix_caption_site_captured_at ON caption (site, captured_at);
CREATE INDEX ix_caption_source_captured_at ON caption (source, captured_at);
CREATE INDEX ix_incident_due_at ON incident (due_at);
CREATE INDEX ix_incident_site_danger_closed_at ON incident (site, danger, closed_at);
CREATE INDEX ix_incident_event_incident_id ON incident_event (incident_id);
CREATE INDEX ix_silence_ends_at ON silence (ends_at);
CREATE INDEX ix_decision_caption_id ON decision (caption_id);
CREATE INDEX ix_decision_incident_id ON decision (incident_id);
CREATE INDEX ix_alert_state_due_at ON alert (state, due_at);
CREATE INDEX ix_alert_incident_id ON alert (incident_id);
CREATE INDEX ix_alert_recipient_created_at ON alert (recipient, created_at);
CREATE INDEX ix_web_session_account_id ON web_session (account_id);
CREATE INDEX ix_api_token_account_id ON api_token (account_id);
CREATE INDEX ix_login_failure_at ON login_failure (at);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_resend_alert_id ON resend (alert_id);
CREATE INDEX ix_translation_made_at ON translation (made_at);
COMMIT;
