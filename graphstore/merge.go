package graphstore

import "errors"

// errStop ends a scan early and is no failure. It does not leave the package.
var errStop = errors.New("stop")

// merge lays what a Tx wrote over what is committed: it calls show for each entry of own and for each that
// committed emits, in ascending order; of two entries with one key it shows only that of own. Both must ascend by
// compare, each key once. An entry of own may be a removal: show is called for it too, and passes over it.
//
// An error of show or of committed ends the merge; errStop does so without being returned.
func merge[E any](own []E, compare func(a, b E) int, committed func(emit func(E) error) error, show func(E) error) error {
	err := committed(func(below E) error {
		for len(own) > 0 {
			order := compare(own[0], below)
			if order > 0 {
				break
			}
			next := own[0]
			own = own[1:]
			if err := show(next); err != nil || order == 0 {
				return err
			}
		}
		return show(below)
	})
	for _, e := range own {
		if err != nil {
			break
		}
		err = show(e)
	}
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
