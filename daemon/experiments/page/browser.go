package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a real one.
type browser struct {
	ctx  context.Context
	stop []context.CancelFunc
	tabs []*tab
}

// tab shows the live page.
type tab struct {
	ctx context.Context
	had map[string]time.Time // when artifacts' own updates were in the DOM
}

// openBrowser starts a browser, which ends with ctx or close.
func openBrowser(ctx context.Context) (*browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("no browser: apt-get install chromium: %w", err)
	}
	b := &browser{}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1400, 1000))
	allocated, cancel := chromedp.NewExecAllocator(ctx, options...)
	b.stop = append(b.stop, cancel)
	b.ctx, cancel = chromedp.NewContext(allocated)
	b.stop = append(b.stop, cancel)
	if err := chromedp.Do(b.ctx, chromedp.Navigate("about:blank")); err != nil {
		b.close()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return b, nil
}

func (b *browser) close() {
	for _, stop := range slices.Backward(b.stop) {
		stop()
	}
}

// open shows an address in a tab with a profile of its own: a browser has few connections to a host, and a stream takes one.
func (b *browser) open(url string) (ctx context.Context, err error) {
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.stop = append(b.stop, cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return nil, fmt.Errorf("open %s: %w", url, err)
	}
	return ctx, nil
}

// evaluate is the value of an expression in a tab.
func evaluate[T any](ctx context.Context, expression string) (value T, err error) {
	value, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		err = fmt.Errorf("in the browser: %.80s: %w", expression, err)
	}
	return value, err
}

const (
	holdEvery = 50 * time.Millisecond
	patience  = 2 * time.Minute // with a page
)

// holds waits until an expression is true in a tab.
func holds(ctx context.Context, expression string) error {
	for late := time.Now().Add(patience); ; {
		ok, err := evaluate[bool](ctx, "Boolean("+expression+")")
		switch {
		case ok || err != nil:
			return err
		case time.Now().After(late):
			shown, err := evaluate[string](ctx, "document.body.innerText.slice(0, 1000)")
			return errors.Join(fmt.Errorf("in the browser: never: %s; it shows %q", expression, shown), err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(holdEvery):
		}
	}
}

// watchLive opens the live page in another tab, which notes what comes into its DOM. The clock is that of all processes of this machine, in whole
// milliseconds, of which the end counts.
func (b *browser) watchLive(url string) error {
	ctx, err := b.open(url)
	if err != nil {
		return err
	}
	b.tabs = append(b.tabs, &tab{ctx: ctx, had: map[string]time.Time{}})
	if err := holds(ctx, `document.querySelector(".controls .facts")?.textContent === "" && document.querySelector(".feed")`); err != nil {
		return err
	}
	_, err = evaluate[bool](ctx, `(() => {
		window.inDOM = {};
		new MutationObserver((all) => {
			const now = Date.now() + 1;
			for (const m of all) for (const li of m.addedNodes) if (li.classList.contains("own")) inDOM[li.dataset.id] ??= now;
		}).observe(document.querySelector(".feed"), { childList: true });
		return true;
	})()`)
	return err
}

// seen reads what the tabs have noted, and counts it.
func (b *browser) seen(of map[string]time.Time) (n int, err error) {
	for _, t := range b.tabs {
		noted, err := evaluate[map[string]int64](t.ctx, "inDOM")
		if err != nil {
			return 0, err
		}
		for id, at := range noted {
			t.had[id] = time.UnixMilli(at)
		}
		n += len(since(of, t.had))
	}
	return n, nil
}
