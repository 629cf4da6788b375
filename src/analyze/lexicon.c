#include "analyze/lexicon.h"

#include <string.h>

struct category { const char *name, *words; };

static const struct category category[] = {
	{ "joy",
	  "happy happier happiest happily happiness glad joy* cheer* delight* pleased pleasure* smil* enjoy* fun "
	  "bliss* content merry jolly thrill* elat* ecsta* euphori* overjoyed gleeful grin* celebrat* wholesome "
	  "lovely yay woo woohoo hooray sunshine paradise heaven* blessed upbeat" },
	{ "love",
	  "love loved loves loving lover adore* adorabl* cute cutie cutest sweetheart darling beloved kiss* cuddl* "
	  "romantic affection* fond heart hearts crush smitten passion* soulmate babe bae sweetie" },
	{ "amusement",
	  "lol lmao lmfao rofl haha hahaha* ahaha* hehe* lolol* funny funnier funniest hilari* laugh* giggl* chuckl* "
	  "joke* joking comedy comedic amus* humor* humour* silly goofy witty crack* cackl* memes lul kek "
	  "rip-roaring snort* wheez* dying" },
	{ "admiration",
	  "amazing awesome brilliant excellent fantastic fabulous beautiful* gorgeous stunning incredible impressive "
	  "impress* outstanding wonderful* magnificent superb splendid perfect* great best talented talent genius "
	  "legend* hero heroic admir* inspir* bravo kudos respect* phenomenal masterpiece flawless glorious epic "
	  "badass classy handsome pretty wise genuine iconic majestic marvelous elegant skilled gifted underrated "
	  "props" },
	{ "gratitude",
	  "thank thanks thankful* thankyou thx ty tysm tyvm gratitude grateful* appreciat* cheers obliged indebted" },
	{ "optimism",
	  "hope hopes hoped hoping hopeful* hopefully optimis* looking-forward someday wish wishes luck lucky "
	  "fingers confident* faith better brighter promising positive" },
	{ "excitement",
	  "excit* hype* hyped pumped stoked thrilled eager* cant-wait woah wow yesss* wooo* letsgo adrenaline "
	  "psyched amped anticipat*" },
	{ "pride",
	  "proud* pride accomplish* achiev* victor* triumph* champion* earned won" },
	{ "relief",
	  "relie* phew thankfully finally whew thank-god safe calm calmer sigh" },
	{ "caring",
	  "care cares caring hug hugs comfort* sorry support* protect* worry concern* stay safe heal* recover* "
	  "condolences prayers praying sympath* empath* compassion* kindness kind gentle hang strong okay help* "
	  "friend deserve" },
	{ "desire",
	  "want wants wanted wanting wish wishing crave* craving desire* desir* need needs yearn* long longing "
	  "jealous envy envious covet* dream tempt* drool*" },
	{ "approval",
	  "agree* agreed agrees yes yep yeah yup exactly correct right true indeed absolutely definitely totally "
	  "fair valid legit nice good fine solid approve* support sensible reasonable accurate precisely makes-sense "
	  "well" },
	{ "anger",
	  "angry anger* angri* mad furious* rage* raging raged fury hate hates hated hating hatred hateful outrag* "
	  "livid pissed infuriat* enrag* fuming hostil* aggress* violent violence vengeance revenge resent* bitter* "
	  "spite* screw kill destroy damn goddamn hell punch" },
	{ "insult",
	  "idiot* moron* stupid* dumb* dumbass* asshole* bitch* bastard* dick* douche* retard* scum* trash* loser* "
	  "clown* fool* imbecile* prick* cunt* twat* jerk* jackass* ass scumbag* pig pigs coward* liar* hypocrit* "
	  "troll* racist* bigot* nazi* incel* dipshit* fucker* motherfuck* shithead* garbage piece worthless" },
	{ "annoyance",
	  "annoy* irritat* frustrat* bother* ugh argh sick tired whin* whining nag* pester* stop seriously ffs smh "
	  "obnoxious insufferable petty stupid ridiculous* complain* bitching tedious overrated unbearable" },
	{ "disgust",
	  "disgust* gross grossed grosser nast* vile revolt* repuls* repugnan* sicken* nausea* nauseous yuck* ew "
	  "eww* ewww* puke* puking vomit* barf* creep* creepy creeps cringe* cringy filth* foul putrid rotten "
	  "rotting stink* stank smelly smell stench loath* abhor* despicabl* abomina* atroci* horrif* icky rancid "
	  "slim* perv* pervert* pedophil* pedo incest toxic rape* rapist* shit poop piss repelled unsanitary maggot* "
	  "worm* vulgar hideous ugly grotesque obscene trashy sleaz* crap" },
	{ "fear",
	  "fear fears feared fearful* afraid scar* scared scary scare* terrif* terror* terrify* horror* horrif* "
	  "horrible frighten* fright* dread* panic* petrif* spook* nightmare* phobi* phobia menac* threat* danger* "
	  "dangerous alarm* creepy haunt* paranoi* shaking trembl* startl* freak* chill* ominous sinister eerie "
	  "yikes" },
	{ "nervousness",
	  "nervous* anxi* worr* worried worrie* worries uneasy tense stress* apprehens* restless jitter* scared "
	  "concern* unsettl* uncomfortabl* overwhelm* insecur* panic* shy hesita*" },
	{ "sadness",
	  "sad sadder saddest sadly sadness sadden* cry cried cries crying cri tear* tears weep* sob* depress* "
	  "miser* unhapp* heartbreak* heartbroken heart-breaking lonel* alone sorrow* gloom* despair* hurt hurts "
	  "painful pain devastat* tragic* tragedy unfortunate* unfortunately suffer* hopeless* miss missed misses "
	  "missing broke broken sorry melanchol* blue" },
	{ "grief",
	  "die died dies dead death* dying killed funeral* mourn* griev* grief rip condolenc* passed loss lost "
	  "suicid* buried cemetery deceased widow* rest-in-peace" },
	{ "disappointment",
	  "disappoint* letdown unfortunately sadly shame* pity bummer* underwhelm* fail* failed failure* lost losing "
	  "lose loses worse worst regret* useless pointless terrible awful mediocre meh boring bored wasted waste "
	  "sucks suck sucked lame missed unlucky" },
	{ "disapproval",
	  "disagree* wrong not no nope bad never disapprov* reject* oppos* against unacceptab* unfair shouldnt "
	  "shouldn't doesn't don't isn't nah refuse* deny denied inappropriate incorrect false bullshit bs nonsense "
	  "downvot*" },
	{ "remorse",
	  "sorry apolog* regret* remors* guilt* forgive* mistake* my-bad ashamed repent* sincerely oops whoops" },
	{ "embarrassment",
	  "embarrass* awkward* asham* humiliat* cringe* blush* shame* shameful mortif* secondhand clumsy foolish "
	  "oops facepalm self-conscious" },
	{ "confusion",
	  "confus* puzzl* baffl* huh wtf unclear unsure dunno understand weird strange odd lost mean perplex* wat "
	  "idk uncertain what? bewilder* mixed" },
	{ "curiosity",
	  "curious* curiosity wonder* wondering why how what when where who interest* intrigu* question* ask* anyone "
	  "anybody explain* tell source fascinat* maybe" },
	{ "surprise",
	  "surpris* shock* wow whoa omg omfg unexpected* unbeliev* believe astonish* astound* stun* sudden* suddenly "
	  "gasp speechless jaw mindblow* holy wtf damn incredib* unreal woah insane amaz* crazy" },
	{ "realization",
	  "realiz* realis* realize realise noticed notice figured remember* forgot turns oh ah aha apparently guess "
	  "thought learned knew understood found makes suddenly hindsight" },
	{ "positive",
	  "good great nice best better cool awesome sweet neat super win wins winning winner favorite favourite "
	  "fantastic beautiful smart clever brave clean fresh comfy cozy tasty delicious yummy healthy peace* "
	  "generous helpful honest loyal friendly easy smooth fun worth enjoyable pleasant bless recommend* welcome "
	  "success* wholesome" },
	{ "negative",
	  "bad worse worst terrible awful horrible horrid dreadful poor* sick ill evil cruel* wicked nasty ugly lame "
	  "weak crap* shit* suck* fail* wrong broken useless disaster* mess messy problem* pathetic* hate trash fake "
	  "lies lie lied cheat* stole steal* abus* bully* harm* damag* ruin* rude selfish greedy lazy ignoran* "
	  "arrogan* disrespect* toxic hurt pain* unfair corrupt*" },
	{ "swear",
	  "fuck fucks fucked fucking fuckin fck shit shitty bullshit damn hell ass crap bitch piss goddamn wtf ffs "
	  "af" },
	{ "question",
	  "who what when where why how which whose anyone whats whos wheres hows" },
	{ "second",
	  "you your yours you're youre u ur yourself" },
	{ "first",
	  "i i'm im me my mine myself i've i'd i'll" },
};
#define CATEGORIES (sizeof category / sizeof category[0])
_Static_assert(CATEGORIES <= 64, "a bit for each");

const unsigned lexicon_categories = CATEGORIES;

const char *lexicon_name(unsigned c)
{
	return category[c].name;
}

static uint64_t start(void) { return 0xcbf29ce484222325u; }

static uint64_t step(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x100000001b3u;
}

/* A full word ends in a byte that no word has. */
static uint64_t whole(uint64_t h)
{
	return step(h, (char)0xff);
}

/* Index of the entry, or of the empty slot where it belongs; the table is at most half full (asserted by its test). */
static size_t slot_of(const struct lexicon *l, uint64_t hash)
{
	size_t i = (hash ^ hash >> 32) & (LEXICON_SLOTS - 1);

	while (l->slot[i].categories && l->slot[i].hash != hash)
		i = (i + 1) & (LEXICON_SLOTS - 1);
	return i;
}


void lexicon_init(struct lexicon *l)
{
	memset(l, 0, sizeof *l);
	for (unsigned c = 0; c < CATEGORIES; c++) {
		uint64_t h = start();

		for (const char *p = category[c].words; ; p++) {
			struct lexicon_entry *e;

			if (*p && *p != ' ' && *p != '*') {
				h = step(h, *p);
				continue;
			}
			if (*p != '*')
				h = whole(h);
			else
				p++;
			e = &l->slot[slot_of(l, h)];
			e->hash = h;
			e->categories |= UINT64_C(1) << c;
			h = start();
			if (!*p)
				break;
		}
	}
}

uint64_t lexicon_find(const struct lexicon *l, const char *word, size_t n)
{
	uint64_t h = start(), found = 0;

	for (size_t i = 0; i < n; i++) {
		h = step(h, word[i]);
		if (i >= 2)
			found |= l->slot[slot_of(l, h)].categories;
	}
	return found | l->slot[slot_of(l, whole(h))].categories;
}
