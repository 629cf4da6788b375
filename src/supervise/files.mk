# main.o      options, signals, the end of a round
# scan.o      the services of one directory, as entries come and go
# service.o   one service: the slot of its process, the slot of its logger, the pipe between them
# slot.o      a place for one process: carries out what state.o decides
# state.o     state x event
# svdir.o     what one service directory says
# files.o     supervise/{lock,control,ok,status,stat,pid}
# status.o    the 20 bytes and the line that sv reads
# control.o   one-letter commands
# board.o     the state of all services in one mapped file
# report.o    supervise -s
# spawn.o     session, descriptors, signals, exec
# stop.o      the end, in order
# children.o  direct children, adopted ones too
supervise_OBJS := main.o scan.o service.o slot.o state.o svdir.o files.o status.o control.o board.o report.o spawn.o stop.o children.o
supervise_PURE := state.o svdir.o status.o control.o board.o children.o
