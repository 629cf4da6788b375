// What the drivers of real clients share: the lab's control API, and what has happened so far with a wait for more.
const really = globalThis.fetch
export const lab = process.env.LAB
export const ask = async (method, path, body) => {
	const r = await really(lab + path, { method, body: typeof body === 'string' ? body : body && JSON.stringify(body) })
	if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
	return r.json()
}

export const got = []
const waiting = []
export const tell = entry => {
	got.push(entry)
	for (const w of [...waiting]) w()
}
export const until = (what, test) => new Promise((resolve, reject) => {
	const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}; there was: ${JSON.stringify(got)}`)), 40000)
	const look = () => {
		if (!test()) return
		clearTimeout(timer)
		waiting.splice(waiting.indexOf(look), 1)
		resolve()
	}
	waiting.push(look)
	look()
})
export const count = kind => got.filter(([k]) => k === kind).length
