# main.o         the table of subcommands
# tree.o         where the tree is, and its places
# program.o      where the other programs and shared data are; asking a program
# words.o        the command line of one
# services.o     what supervise says
# takes.o        which destination a service takes from
# leftover.o     services that a killed supervise left running
# address.o      the chat page's address
# cmd_NAME.o     one subcommand each; cmd_service.o: start stop restart reload
# hub_ask.o      what route answers
# gateways.o     what gateways answer: accounts and their connections
# says.o         accounts that deliver leaves out, or that have stopped
# swap_NAME.o    swap: swap_do from phase to phase, swap_settle the end of one that was killed, swap_state the record, swap_make the new directory,
#                swap_probe the program alone, swap_turn services up and down, swap_watch lines by steps, swap_split what route is told, swap_keep,
#                swap_diff and swap_equal what a shadow says, swap_show what the records say, swap_deaths failed runs
# log_feed.o     the lines of a log directory, over its files
# outbox.o       batches in flight, numbers of their lines
# compose.o      a line from --text
penstock_OBJS := main.o tree.o program.o words.o services.o takes.o leftover.o address.o hub_ask.o gateways.o says.o outbox.o compose.o log_feed.o $(patsubst src/penstock/%.c,%.o,$(wildcard src/penstock/cmd_*.c src/penstock/swap_*.c))
penstock_PURE := compose.o outbox.o log_feed.o
