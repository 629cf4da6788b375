# main.o         options and the four ways to run
# hub.o          spool, intake and destinations together: start, reload, stop
# hub_again.o    lines that the hub says again
# hub_gap.o      says in-band which lines are gone
# hub_rules.o    the rules it starts with, and new ones under way
# hub_hits.o     how many lines each rule held for
# control.o      questions and orders while it runs
# verb/*.o       one each (verb/verb.h)
# intake.o       puts: check, repeats, keep, answer
# dests.o        all destinations by place: opened, named, dropped
# dest.o         one destination: its parts, its books
# fill.o fill_back.o  lines from the spool into its window; those that were passed over
# deliver.o      workers, batches
# outcome.o      what becomes of the lines of a batch
# split.o        workers in two sets: canary, shadow
# attempts.o     how often lines were tried, over a kill
# spool.o        the files of the spool: open
# spool_trim.o   those that nobody needs go
# spool_load.o   what there is at start: which files fit together, the torn end cut
# spool_last.o   the last of them, which may end in the middle of a group
# spool_repair.o a damaged file put in order
# pieces.o       what is good in a file that may be damaged
# gap.o          ranges that are gone, and their notes on disk
# reserve.o      room held back on the disk
# spool_write.o  group commit, and what happens when the disk fails
# spool_room.o   when nothing is accepted: no room, a limit; and when again
# spool_read.o   lines from the files, and from memory where they are still there
# spool_tail.o   those in memory
# syncer.o       the thread that writes and syncs
# walk.o         a segment file group by group
# cursor_file.o  a cursor on disk
# books.o        do the counts add up; what changes when a cursor is set
# dead.o         dead letters: the file of a destination
# letter.o       the text of one
# hub_letters.o  those that were said again by a hub that was killed
# jq.o           what jq conditions say, and when lines have to wait for it
# jq_child.o     a jq(1) that runs
# jq_failed.o    lines they failed on
# memo.o         what was decided about lines read last
# rules.o        rules from a file, and where they send a line
# rules_book.o   rules in force and those of older generations
# tool/*.o       route WORD: what is done with files of a spool: dead (pick which, show, change); ledger, spool (offline: open one as the hub does)
# try.o          route -t and the filter
# follow.o       route -T
# metrics.o      the rows of metrics.def
# explain.o      why a line goes where it goes
# lint.o         rules that can never do anything
# decide.o       line and rules to destinations, lane, time
# again.o        the text of a line that the hub says again
# segment.o      the text of a segment: commit lines, checksums
# cursor.o cursor_slot.o  what a destination has done; the text of a slot
# lane.o lane_take.o lane_room.o  order within a key, fair turns, shares of the memory
# behind.o       what was passed over to be read later
# skim.o         which tenants have lines in which part of it
# timer.o        lines held until their time
# held.o         a set of line numbers
# due.o          a heap of things with a time
# repeat.o       window of ids seen
# lex.o parse.o parse_expr.o  text to rules and conditions
# pred/*.o       a predicate each (pred/README.md)
route_PURE := decide.o again.o held.o letter.o segment.o cursor.o cursor_slot.o lane.o lane_take.o lane_room.o behind.o skim.o due.o repeat.o lex.o parse.o parse_expr.o rules.o rules_book.o memo.o lint.o explain.o walk.o pieces.o \
	pred/index.o pred/value.o pred/compare.o pred/prefix.o pred/glob.o pred/regex.o pred/set.o pred/exists.o pred/percent.o pred/flag.o pred/jq.o pred/logic.o
route_OBJS := main.o hub.o hub_again.o hub_letters.o hub_rules.o hub_hits.o jq.o jq_child.o jq_failed.o hub_gap.o timer.o control.o verb/index.o verb/status.o verb/ledger.o verb/cursor.o verb/trim.o books.o verb/dead.o verb/again.o verb/letters.o verb/reload.o verb/rules.o intake.o dests.o dest.o fill.o fill_back.o deliver.o outcome.o split.o attempts.o verb/split.o spool.o spool_load.o spool_last.o spool_repair.o gap.o reserve.o spool_write.o spool_room.o spool_trim.o spool_read.o spool_tail.o syncer.o cursor_file.o dead.o \
	tool/index.o tool/dead.o tool/pick.o tool/show.o tool/change.o tool/offline.o tool/ledger.o tool/spool.o tool/spool_cat.o tool/spool_check.o tool/spool_cursor.o \
	try.o follow.o metrics.o $(route_PURE)
