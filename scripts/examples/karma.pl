#!/usr/bin/perl
# Notices "ann++" and "ann--". Mode line: one line out for each line in, an empty one when there is nothing to say; $| makes perl say it at once.
#   stage -i ipc://run/to-karma -o ipc://run/in -a line -s karma -- scripts/examples/karma.pl
use strict; use warnings;
($|, $") = (1, '');
while (my $line = <STDIN>) {
	print "\n" and next unless $line =~ /"type":"chat.message"/ && $line =~ /"text":"[^"]*?(\w+)(\+\+|--)/;
	my $data = sprintf '"data":{"who":"%s","by":%d}', $1, $2 eq '++' ? 1 : -1;
	my ($id) = $line =~ /"id":"([^"]*)"/;
	my @kept = map { $line =~ /("$_":"[^"]*")/ ? "$1," : () } qw(source tenant partitionkey);
	print qq({"specversion":"1.0","id":"$id.karma",@kept"type":"x.karma","causationid":"$id",$data}\n);
}
