-- Which parts of its aggregate a message is about: lines of an order, or the office of a reminder. The aggregate itself is also an
-- order or a reminder of civil-registry-order from now on.
ALTER TABLE message ADD COLUMN about_ids uuid[] NOT NULL DEFAULT '{}';
