# The links in each message. Mode eof: one run of jq for each batch, so that it may buffer as it likes.
#   stage -i ipc://run/to-links -o ipc://run/in -a eof -s links -- jq -c -f scripts/examples/links.jq
# By causationid stage knows which line an event comes from, and completes it.
select(.type == "chat.message")
| [.data.text | scan("https?://[^ ]+")] as $links
| select($links != [])
| {type: "x.links", causationid: .id, data: {$links}}
