package config

import (
	"math/bits"
	"time"

	"kilim/learner/train"
)

// Train is the fine-tuning of the model to the archive. A trained model serves only when it is in nothing worse than the one that
// serves, and better in something.
type Train struct {
	Share       float64       `default:"0.25" min:"0" max:"1" help:"Share of one core that training in the background takes. 0 trains nothing."`
	Least       int           `default:"2000" min:"100" max:"100000000" help:"Artifacts below which nothing is trained: from few there is little to learn, and a difference is seldom beyond noise."`
	Changes     float64       `default:"0.5" min:"0" max:"1000" help:"Train when the archive has changed so much since the last training: each insert, replacement or deletion among N artifacts counts 1/N. 0: not for that."`
	Drift       float64       `default:"0.2" min:"0" max:"1" help:"Train when the shares of cultures or types have shifted so far since the last training, even if little has come: 0.2 is that a fifth of what is named is other than it was. 0: not for that."`
	Every       time.Duration `default:"168h" min:"0s" max:"87600h" help:"Train after so long, if anything has changed. 0s: not for that."`
	Artifacts   int           `default:"20000" min:"100" max:"1000000" help:"Artifacts that are trained on at most, and as many as memory.limit has room for, with 48 KiB each: of more, a sample, and of such as take more memory each a smaller one. Bounds the time of a training."`
	Stages      List          `default:"full:2000:0.008" help:"Stages of a training, each NAME:STEPS:RATE: heads (fusion and projection only), unfreeze (the layers too, the upper ones first) or full (everything); RATE is AdamW's at its height."`
	Dropout     float64       `default:"0.2" min:"0" max:"0.5" help:"Share of what the layers and the fusion compute that is dropped while training. More keeps a small archive from being learned by heart."`
	Temperature Temperature   `embed:"" prefix:"temperature."`
	Queue       int           `default:"4096" min:"256" max:"65536" help:"Artifacts that each one is told apart from, a power of two: those of earlier batches. A smaller archive has a shorter queue."`
	Momentum    float64       `default:"0.99" min:"0.9" max:"0.99999" help:"Share of the key encoder that stays at each step: how slowly what is in the queue follows what is learned. A longer queue wants more."`
	Hardness    float64       `default:"2" min:"1" max:"100" help:"Weight of hard negatives, artifacts of other cultures that are near all the same; 1 weighs all alike."`
	HardBeyond  float64       `default:"2" min:"0" max:"10" help:"From how many standard deviations above the mean cosine on a negative is a hard one."`
	Branches    float64       `name:"branch-weight" default:"0" min:"0" max:"100" help:"Weight of a loss behind each branch (texts, pictures, recordings) beside the one behind the fusion: more has each tell artifacts apart by itself. 0: none."`
	Cultures    float64       `name:"culture-weight" default:"2" min:"0" max:"100" help:"Weight of the loss that draws artifacts of one culture together, in a quarter of the embedding. 0: cultures are not taught."`
	Decay       float64       `default:"0.01" min:"0" max:"1" help:"Weight decay of AdamW. Biases and gains have none."`
	WarmUp      float64       `default:"0.1" min:"0" max:"1" help:"Share of a stage's steps in which its rate rises."`
	Patience    int           `default:"6" min:"1" max:"10000" help:"Validations, one in 100 steps, without a better one after which a training ends. Much is gained in the last steps, at the lowest rates."`
	Hold        List          `placeholder:"BRANCH" help:"Branches that are not trained: record (texts, facts and types), image or audio. For an encoder that was trained elsewhere, and whose branch has been."`
	Truth       string        `placeholder:"FILE" help:"Your own judgments (kilim eval --help tells their form). A model that is worse by them does not serve."`
	Seed        int           `default:"1" min:"0" max:"9223372036854775807" help:"Decides all that training draws: the same archive, model and seed make the same weights."`
}

// Temperature is that of the contrastive loss: the lower, the more the nearest negatives count.
type Temperature struct {
	Start float64 `default:"0.07" min:"0.01" max:"1" help:"Temperature of the loss when a training begins: the lower, the more the nearest negatives count."`
	Least float64 `default:"0.01" min:"0.01" max:"1" help:"The lowest that it may be learned to be."`
	Most  float64 `default:"1" min:"0.01" max:"1" help:"The highest that it may be learned to be."`
	Fixed bool    `help:"Keep it as it starts, and learn none."`
}

func (t *Train) check() []*Fault {
	faults := checkFile("train.truth", t.Truth)
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	if len(t.Stages) == 0 {
		add("train.stages", "empty: want NAME:STEPS:RATE, such as full:2000:0.008 (train.share 0 trains nothing)")
	}
	if bits.OnesCount(uint(t.Queue)) != 1 {
		add("train.queue", "%d: want a power of two", t.Queue)
	}
	if v := t.Temperature; v.Least > v.Start || v.Start > v.Most {
		add("train.temperature.start", "%v: want it from train.temperature.least, %v, to train.temperature.most, %v", v.Start, v.Least, v.Most)
	}
	for _, branch := range t.Hold {
		switch branch {
		case "record", "image", "audio":
		default:
			add("train.hold", "%q: want record, image or audio", branch)
		}
	}
	_, err := train.ParseStages(t.Stages)
	return append(faults, under("train.stages.", err)...)
}
