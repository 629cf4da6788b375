-- The history of one tenant. Every line that came in is kept byte for byte in event.line; all other columns and tables
-- can be made again from the lines.
--
-- Some of them follow later, in groups, because a group costs less than half of the same rows one by one: seen, cause, person
-- and words hold the events up to state.indexed. Whoever asks them has the rest added first.

CREATE TABLE state(
	one INTEGER PRIMARY KEY CHECK (one = 1),
	salt BLOB NOT NULL,              -- 16 random bytes: key of the hashes below, so that no stranger can aim at a collision
	indexed INTEGER NOT NULL,        -- events up to this seq are in seen, cause, person and words
	events INTEGER NOT NULL,         -- how many
	bytes INTEGER NOT NULL           -- of their lines, LF counted
);
INSERT INTO state VALUES(1, randomblob(16), 0, 0, 0);

CREATE TABLE event(
	seq INTEGER PRIMARY KEY,         -- the hub's sequence number: the order of everything
	seen INTEGER NOT NULL,           -- hash of id (upper 40 bits) and source (lower 24); the line decides
	time INTEGER,                    -- milliseconds since 1970, UTC; NULL: the line has none
	type INTEGER NOT NULL,           -- name.id
	conversation INTEGER,            -- name.id of the partitionkey
	person INTEGER,                  -- person.id: hash of data.user.id
	line BLOB NOT NULL               -- without its LF
);
CREATE INDEX event_conversation ON event(conversation) WHERE conversation IS NOT NULL;

-- Event types and partition keys.
CREATE TABLE name(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE(kind, text));

-- id is a hash of uid, name the one last seen. Should two share a hash, the first has the row; the lines tell them apart.
CREATE TABLE person(id INTEGER PRIMARY KEY, uid TEXT NOT NULL, name TEXT);

-- From source and id, from id alone, from a cause to what it caused: hashes as in event.seen; the lines decide.
CREATE TABLE seen(hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(hash, seq)) WITHOUT ROWID;
CREATE TABLE cause(hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(hash, seq)) WITHOUT ROWID;

-- Full text of data.text, rowid = event.seq, as words_spread of src/store/words.h prepares it. The text itself is in event.line only.
CREATE VIRTUAL TABLE words USING fts5(text, content = '', columnsize = 0,
	tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'");
