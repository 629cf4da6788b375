#include "analyze/lexicon.h"

#include <string.h>

struct category { const char *name, *words; };

static const struct category category[] = {
	{ "joy",
	  "birthday blessed bliss* brighten celebrat* cheer* chipper content delight* ecsta* elat* enjoy* euphori* "
	  "fun glad gladly gleeful grin* happier happiest happily happiness happy heartwarming heaven* holiday "
	  "hooray jolly joy* laughed lovely merry overjoyed paradise party pleased pleasure* radiant smil* sunshine "
	  "sweet thrill* upbeat uplifting vacation vibes vibing warmed warms weekend wholesome woo woohoo yay yippee" },
	{ "love",
	  "adorabl* adore* adoring affection* babe bae beloved boyfriend cherish* crush cuddl* cute cutest cutie "
	  "darling darlings enamored fond girlfriend heart hearts hubby husband kiss* lovable love loveable loved "
	  "lover loves loveu loving luv passion* precious romance romantic smitten snuggl* soulmate soulmates "
	  "sweetheart sweetie treasure* valentine wife wifey xoxo" },
	{ "amusement",
	  "ahaha* amus* cackl* chuckl* comedian comedic comedy comical crack* dying entertain* funnier funniest "
	  "funny giggl* goofy hah haha hahah hahaha* heh hehe* hilari* humor* humour* ironic irony jajaja joke* "
	  "joking kek kekw laugh* lmao lmaoo lmaooo lmfao lol loll lolol* lolz lul meme memed memes prank* pun puns "
	  "ridiculous* rofl roflmao sarcas* satire silly snort* teehee wheez* witty xd" },
	{ "admiration",
	  "admir* adorable amazing awe awesome awestruck badass ballsy beautiful* best brave bravo breathtaking "
	  "brilliance brilliant chad classy congrats congratulations cool courage* creative dedicated dedication "
	  "dope elegant epic excellent exceptional exquisite extraordinary fabulous fantastic fire flawless genius "
	  "genuine gifted glorious goat goddess gorgeous great handsome hero heroic iconic impress* incredible "
	  "inspir* intelligent king kudos lad legend* lit magnificent majestic marvelous masterpiece mvp neat "
	  "outstanding perfect* phenomenal pretty props queen remarkable respect* sharp sick skilled smart splendid "
	  "stellar stunning superb swell talent talented terrific underrated wholesome wise wonderful* wow" },
	{ "gratitude",
	  "appreciat* arigato bless blessings cheers danke gracias grateful* gratitude indebted kindly merci obliged "
	  "thank thankful* thanks thankssss thankyou thanx thnx thx tnx ty tysm tyvm" },
	{ "optimism",
	  "believe believing better brighter chance confident* eventually faith fingers future goodluck hope hoped "
	  "hopeful* hopes hoping improve* improving luck lucky manifest* optimis* positive pray prayers praying "
	  "promising prosper* someday soon tomorrow wish wishes" },
	{ "excitement",
	  "adrenaline amped anticipat* awaiting eager* epic excit* hype* hyping insane letsgo letsgooo omggg ooo "
	  "psyched pumped ready stoked thrill* wild woah wooo* wow yesss*" },
	{ "pride",
	  "accomplish* achiev* beat champion* conquer* earned pride prideful proud* succeeded success triumph* "
	  "victor* won" },
	{ "relief",
	  "bullet calm calmer calming dodged finally glad phew relax* relie* safe settled sigh survived thankfully "
	  "whew" },
	{ "caring",
	  "care cares caring comfort* compassion* concern* condolences cope coping counsel* courage deserve deserves "
	  "doctor empath* encourage* friend gentle hang heal* help* hug hugging hugs kind kindness listen luck "
	  "nurtur* okay prayers praying protect* reassur* recover* rest safe sorry stay strong support* sympath* "
	  "tender therapist therapist's therapy welcome wellbeing wish worry" },
	{ "desire",
	  "covet* crave* craving desir* dream drool* envious envy fantas* gimme hopefully hungry interested itching "
	  "jealous jelly long longing lust* need needs please someday tempt* thirsty wanna want wanted wanting wants "
	  "wish wishful wishing yearn*" },
	{ "approval",
	  "absolutely acceptable accurate agree* alright approve* based certainly correct definitely deserved ditto "
	  "exactly facts fair fine good indeed legit logical nice obviously ok okay precise precisely properly "
	  "rational reasonable right rightly same sensible solid support sure this totally true truth understandable "
	  "valid well ya yea yeah yep yes yup" },
	{ "anger",
	  "abuse abuser abusive aggress* anger* angri* angry assault* attack* beat bitter* blame* burn dammit damn "
	  "damned damnit despicable despise* destroy disrespect* enrag* fight* fuckyou fuming furious* fury goddamn "
	  "gtfo hate hated hateful hates hating hatred hell hellhole hostil* infuriat* irate kill kys livid loathing "
	  "mad murder* outrag* piss pissed pisses pissing punch punish* rage* raging resent* revenge riot* scream* "
	  "screw seeth* shout* shut slap smash spite* stfu strangle threaten* tyrant vengeance violence violent "
	  "wrath yell*" },
	{ "insult",
	  "airhead arse arsehole ass asshole* bastard* bigot* bitch* boomer braindead brainless brat bratty bullied "
	  "bullies bully clown* clueless coward* creepy criminal* cuck cunt* deadbeat degenerate* delusional dick* "
	  "dimwit dingus dipshit* douche* dumb* dummy entitled fatass fool* freak fucker* fucktard garbage halfwit "
	  "hoe hypocrit* idiocy idiot* ignoramus imbecile* incel* jackass* jerk* karen lardass liar* loser* lowlife "
	  "moron* motherfuck* narcissis* nazi* neckbeard nitwit numbskull pathetic piece pig pigs pos prick* psycho* "
	  "racist* retard* scammer* scum* shill* shitbag shitbird shithead* simp skank slut* snowflake* sociopath* "
	  "stupid* thug tosser trash* troll* turd twat* wanker weirdo whore* worthless" },
	{ "annoyance",
	  "absurd again already annoy* argh bitching bother* bugs clickbait complain* cringe enough excessive "
	  "eyeroll fedup ffs frustrat* grating hassle inconvenien* insufferable irritat* nag* nuisance obnoxious "
	  "overrated pesky pester* petty pls pointless repetitive ridiculous* rolling rude ruins seriously sick sigh "
	  "smh spam* stop stupid stupidly tedious tired tiring ugh ughh unbearable unnecessary whin*" },
	{ "disgust",
	  "abhor* abomina* appalled appalling atroci* barf* blech blegh bleh cockroach* crap creep* cringe* cringy "
	  "cruelty degenerat* dehuman* deprav* despicabl* diarrhea dirty disgust* distaste* ew eww* fart farts feces "
	  "filth* foul gag gagged gagging garbage ghastly groom* gross grossed grosser grotesque heinous hideous "
	  "horrid horrif* hygiene ick icky incest inhuman* leech* lice loath* maggot* mildew mold moldy molest* "
	  "mucus nast* nausea* nauseous obscene odor pedo pedophil* perv* piss poop predator* puke* puking pus "
	  "putrid rancid rape* rapist* rat rats repelled repugnan* repuls* revolt* roach* rot rots rotten rotting "
	  "scummy sewage sewer shit shudder* sick sicken* skeev* sleaz* slim* smell smelled smelly snot stank stench "
	  "stink* tick ticks toxic trashy ugly unhygienic unpleasant unsanitary urine vile vomit* vulgar worm* yikes "
	  "yuck*" },
	{ "fear",
	  "afraid alarm* apocalyp* chill* creeping creepy danger* deadly demon* doom* dread* eerie escape fatal fear "
	  "feared fearful* fears flee freak* fright* ghost* haunt* hazard* hide hiding horrible horrif* horror* "
	  "intimidat* killer* lethal menac* monster* murderer* nightmare* ominous panic* paranoi* petrif* phobi* "
	  "risk* scar* scream screaming shaking sinister spook* stalker* startl* terrif* terror* threat* trauma* "
	  "trembl* unnerv* yikes" },
	{ "nervousness",
	  "anxi* apprehens* awkward butterflies concern* dreading exam exams hesita* insecur* interview jitter* "
	  "nerve nerves nervous* overwhelm* panic* paranoid restless scared shy stress* sweat* tense trembl* "
	  "uncomfortabl* uneasiness uneasy unsettl* worr*" },
	{ "sadness",
	  "abandoned ache aching alone bawling bleak blue broke broken bummed cri cried cries crushed crushing cry "
	  "crying dark depress* despair* devastat* died down downhearted emptiness empty gloom* grieve heartache "
	  "heartbreak* heartbroken hollow homesick hopeless* hurt hurtful hurting hurts isolat* lonel* loner "
	  "melanchol* miser* miss missed misses missing mourning neglected orphan* pain painful pitiful pity "
	  "regretful ruined sad sadden* sadder saddest sadge sadistic sadly sadness sob* sorrow* sorry suffer* "
	  "suicidal tear* tragedy tragic* unfortunate* unhapp* upset upsets upsetting weep* wept worthless" },
	{ "grief",
	  "bereave* buried cancer cemetery condolenc* dead death* deceased die died dies dying funeral* grief griev* "
	  "heaven killed loss lost memorial miscarr* mourn* passed passing perished rip stillborn suicid* terminal "
	  "tragically tribute widow*" },
	{ "disappointment",
	  "alas anticlimactic awful bored boring bummer* crappy disappoint* discourag* dissatisf* downgrade* "
	  "expected expecting fail* flop flopped lame letdown letting lose loser loses losing lost mediocre meh "
	  "missed missing oof pity pointless regret* rip ruined sadly shame* shitty sigh subpar suck sucked sucks "
	  "terrible underwhelm* unfortunately unfulfill* unimpress* unlucky unsatisf* useless waste wasted wish "
	  "worse worst" },
	{ "disapproval",
	  "absurd against bad ban banned bs bullshit can't cannot condemn* criticis* criticiz* denied deny disagree* "
	  "disapprov* dishonest doesn't don't dont downvot* false frown* hypocrisy illegal immoral inaccurate "
	  "inappropriate incorrect* inexcusable isn't isnt mislead* nah never no nonsense nope not object* oppos* "
	  "problematic protest* questionable refuse* reject* ridiculous rubbish shouldn't shouldnt silly stop "
	  "unacceptab* unethical unfair unjust unnecessary unreasonable untrue won't wouldn't wrong wrongly" },
	{ "remorse",
	  "accident accidentally apolog* ashamed blame fault forgive* forgiving guilt* mistake* oops pardon regret* "
	  "remors* repent* sincerely sorry sorrys sowwy sry whoops" },
	{ "embarrassment",
	  "asham* awkward* blush* clumsy cringe* cringing dork* embarrass* facepalm facepalmed foolish humiliat* "
	  "mortif* naked nerdy oops secondhand shame* shaming sheepish stumbled tripped" },
	{ "confusion",
	  "ambiguous baffl* bewilder* complicated confus* contradict* cryptic dunno huh idek idk incomprehen* lost "
	  "mean misunderstand misunderstanding misunderstood mixed nonsensical odd perplex* puzzl* question strange "
	  "uncertain unclear understand unsure vague wat weird wha whut wtf" },
	{ "curiosity",
	  "anybody anyone ask* clarify context curiosity curious* details elaborate explain* explanation fascinat* "
	  "how how's info inquir* interest* intrigu* investigat* know link maybe ponder* question* research* sauce "
	  "someone source tell what what's when when's where where's which who who's why wonder*" },
	{ "surprise",
	  "amaz* astonish* astound* believe christ coincidence crazy damn dang disbelief gasp gasped golly gosh holy "
	  "incredib* insane jaw jawdrop jeez jesus lord mindblow* miracle miraculous omfg omg random rare shock* "
	  "shook speechless stun* sudden* surpris* unbeliev* unexpected* unreal whoa whoaa woah wow wowie wowza wtf" },
	{ "realization",
	  "actually ah aha ahh ahhh apparently assumed clicked dawned discover* explains figured figures figuring "
	  "forgot found guess hindsight knew learned makes notice noticed notices noticing now occurred oh ohh ohhh "
	  "realis* realiz* remember* reminded reminds retrospect suddenly thought til turns understood" },
	{ "positive",
	  "awesome balanced beautiful beneficial best better bless blessing brave bright clean clever comfy cool "
	  "cozy delicious delight easy effective efficient enjoyable excellence fair fantastic fascinating favorite "
	  "favourite free freedom fresh friend friendly friends friendship fun generous genuine golden good great "
	  "healthy heart helpful hero honest hot impressive improved improvement interesting loyal neat nice peace* "
	  "perfection perfectly pleasant recommend* reliable reward* safe secure sexy sincere smart smooth stable "
	  "strength strong success* super superb sweet tasty terrific upgrade* useful valuable welcome wholesome win "
	  "winner winning wins worth yum yummy" },
	{ "negative",
	  "abus* annoying arrogan* awful backstab* bad betray* bigotry bland boring broken brutal* bully* "
	  "catastroph* cheap cheat* corrupt* crap* crazy crisis cruel* damag* dangerous dirty disaster* disastrous "
	  "disease* disrespect* dreadful dull dumb evil expensive exploit* fail* fake fraud* greedy guilty harm* "
	  "hate hateful homeless homophob* horrible horrid horrific hurt hurtful idiotic ignoran* ill infect* insane "
	  "lame lazy liar lie lied lies lying manipulat* mess messy nasty oppress* overpriced overrated pain* "
	  "pathetic* poison* poor* poverty problem* racism racist ripoff rude ruin* savage* scam* selfish sexism "
	  "sexist shit* sick sinister steal* stole struggle* struggling stupid suck* suffer sufferin* terrible toxic "
	  "tragic transphob* trash ugly unemployed unfair useless vicious vile violent war weak wicked worse worst "
	  "wrong wrongdoing" },
	{ "swear",
	  "af ass bitch bullshit crap damn fck ffs fuck fucked fuckin fucking fucks goddamn hell piss shit shitty "
	  "wtf" },
	{ "question",
	  "anyone how hows what whats when where wheres which who whos whose why" },
	{ "second",
	  "u ur you you're your youre yours yourself" },
	{ "first",
	  "i i'd i'll i'm i've im me mine my myself" },
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

/*
 * Index of the entry, or of the empty slot where it belongs; the table is at most half full
 * (asserted by its test).
 */
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
