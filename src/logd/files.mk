# main.o      options, signals
# control.o   what supervise says
# source.o    a pipe: lines, stamps, holding
# folder.o    a log directory: current, rotation, limits, power loss
# conf.o      the file config
logd_OBJS := main.o control.o source.o folder.o conf.o
logd_PURE := conf.o
