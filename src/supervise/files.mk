# main.o      options, signals, the end of a round
# scan.o      the services of one directory, as entries come and go
# service.o   one service: the slot of its process, the slot of its logger, the pipe between them
# slot.o      a place for one process: carries out what state.o decides      host.o      what all of them have in common
# state.o     state x event
# state_text.o  words and bytes for a state
# svdir.o     what one service directory says
# files.o     supervise/{lock,control,ok,status,stat,pid}
# prepare.o   many of these folders at a time, by threads
# lock.o      a lock that another supervisor may hold
# status.o    the 20 bytes and the line that sv reads
# control.o   one-letter commands
# board.o     the state of all services in one mapped file
# report.o    supervise -s               report_json.o  the same for programs
# usage.o     memory and time of a process
# lines.o     the last lines before a death
# process.o   the processes of slots: made, found, collected, taken over
# ask.o       the scripts of control/
# keep.o      what a supervise that is killed leaves to the next one
# takeover.o  finding it again: processes and pipes
# writer.o    a thread writes the files in supervise/
# ghost.o     processes whose directory is gone, and what those that were taken over leave behind
# tally.o     supervise/death_tally
# extra.o     what goes beyond runit and s6, asked at fixed moments
# logs.o      the built-in logger: what logd is told      fifo.o      what a service writes into for it
# limits.o    the file limits            env.o       the environment of a child
# order.o     the file after             instance.o  the file instances
# past.o      last deaths, restarts within the hour
# spawn.o     session, descriptors, signals, exec
# stop.o      the end, in order
# children.o  direct children, adopted ones too
supervise_OBJS := main.o scan.o service.o slot.o host.o state.o state_text.o svdir.o files.o prepare.o lock.o status.o control.o board.o report.o spawn.o stop.o children.o process.o ask.o keep.o takeover.o \
	ghost.o writer.o tally.o extra.o logs.o fifo.o limits.o env.o order.o instance.o past.o report_json.o usage.o lines.o
supervise_PURE := state.o state_text.o svdir.o status.o control.o board.o children.o keep.o tally.o past.o order.o instance.o limits.o usage.o lines.o files.o lock.o
