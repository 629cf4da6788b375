# main.o      options
# run.o       links, batches on their way
# put.o       what is put and reported
# load.o      one batch: what is to be given next, what was made of it
# copy.o      a running program: what goes in and out, and how long that may take
# copies.o    all of them
# copy_end.o  it has ended: what that means for what was in it
# fit.o       is it a program for its mode?
# child.o     one process: its descriptors, its end
# reap.o      those that run, their ends, what they left behind
# plain.o     lines without the colours of a terminal
# proc.o      what /proc tells of others
# spawn.o     starting it: pipes or a terminal, limits, user
# guard.o     what is left over when this process is killed
# said.o      what it says on stderr
# check.o     --check
# try.o       one run of a program, for it
# halve.o     which line a program dies of
# event.o     what becomes of a line that a program wrote
# hint.o      programs known to hold back their output
# mode/*.o    a way of acknowledging each (mode/README.md)
stage_PURE := halve.o event.o hint.o plain.o mode/index.o mode/eof.o mode/line.o mode/sync.o
stage_OBJS := main.o run.o put.o load.o copy.o copies.o copy_end.o fit.o child.o reap.o proc.o spawn.o guard.o said.o check.o try.o $(stage_PURE)
