# main.o      options, signals
# control.o   what supervise says
# source.o    a pipe: reading, writing, holding
# frame.o     lines and stamps
# desk.o      all pipes together: sync, age
# folder.o    a log directory: current, rotation, limits, power loss
# conf.o      the file config
logd_OBJS := main.o control.o source.o frame.o desk.o folder.o conf.o
logd_PURE := conf.o frame.o
