ALTER TABLE ledger ADD COLUMN worth_a_look INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN decision TEXT;

CREATE INDEX ledger_worth_a_look ON ledger (score DESC, page_id, reviewed_at) WHERE worth_a_look = 1;
