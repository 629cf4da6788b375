# The links in each message. Mode eof: one run of jq for each batch, so that it may buffer as it likes.
#   stage -i ipc://run/to-links -o ipc://run/in -a eof -s links -- jq -c -f scripts/examples/links.jq
select(.type == "chat.message")
| [.data.text | scan("https?://[^ ]+")] as $links
| select($links != [])
| {specversion, id: "\(.id).links", source, type: "x.links", tenant, partitionkey, causationid: .id, data: {$links}}
