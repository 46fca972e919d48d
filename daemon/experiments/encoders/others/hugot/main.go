// Command kilim-hugot encodes texts by an ONNX file in process, by hugot's backend in pure Go, and prints what that took, as minilm.py
// --rate does for the same model behind a server. It is a module of its own: kilim does not depend on hugot, and RESULTS.md says why.
//
//	go run . FOLDER < FILE    # FOLDER has model.onnx and tokenizer.json; a line of FILE is a text as a JSON string
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/knights-analytics/hugot"
	"github.com/knights-analytics/hugot/pipelines"
)

// batch is the number of texts that are encoded at once.
const batch = 8

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kilim-hugot:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if len(os.Args) != 2 {
		return errors.New("want a FOLDER of model.onnx and tokenizer.json")
	}
	var texts []string
	for lines := json.NewDecoder(os.Stdin); ; {
		var text string
		if err := lines.Decode(&text); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("text %d: %w", len(texts)+1, err)
		}
		texts = append(texts, text)
	}
	session, err := hugot.NewGoSession()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Destroy()) }()
	model, err := hugot.NewPipeline(session, hugot.FeatureExtractionConfig{ModelPath: os.Args[1], Name: "model", OnnxFilename: "model.onnx",
		Options: []hugot.FeatureExtractionOption{pipelines.WithNormalization()}})
	if err != nil {
		return err
	}
	encode := func() error {
		for rest := texts; len(rest) > 0; rest = rest[min(batch, len(rest)):] {
			if _, err := model.RunPipeline(rest[:min(batch, len(rest))]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := encode(); err != nil { // what is compiled at first is not counted
		return err
	}
	began, used := time.Now(), processor()
	if err := encode(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"texts": len(texts), "seconds": time.Since(began).Seconds(), "processor_seconds": processor() - used})
}

// processor is the processor time of this process, in seconds.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
