-- A bulk load. What is committed with a chunk of acts is where the next chunk begins.
CREATE TABLE act_import (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    state          text NOT NULL CHECK (state IN ('RUNNING', 'PAUSED', 'FINISHED')),
    format         text NOT NULL CHECK (format IN ('jsonl', 'csv')),
    -- SHA-256 of the first bytes of the file, at most 64 KiB: finds the import of a file again.
    head_sha256    bytea NOT NULL CHECK (octet_length(head_sha256) = 32),
    -- SHA-256 of all bytes before the offset: proves that it is the file.
    prefix_sha256  bytea NOT NULL CHECK (octet_length(prefix_sha256) = 32),
    byte_offset    bigint NOT NULL CHECK (byte_offset >= 0),
    -- Lines before the offset.
    lines          bigint NOT NULL CHECK (lines >= 0),
    taken          bigint NOT NULL CHECK (taken >= 0),
    refused        bigint NOT NULL CHECK (refused >= 0),
    -- Refused because the act is there already; counted in refused too.
    duplicates     bigint NOT NULL CHECK (duplicates BETWEEN 0 AND refused),
    -- Bytes of the report that belong to the lines before the offset: its header at least.
    report_bytes   bigint NOT NULL CHECK (report_bytes > 0),
    -- SHA-256 of these: proves that it is the report.
    report_sha256  bytea NOT NULL CHECK (octet_length(report_sha256) = 32),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);

CREATE INDEX act_import_unfinished ON act_import (head_sha256) WHERE state <> 'FINISHED';
