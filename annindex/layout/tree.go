package layout

// quadtree sums up groups of points, so that what a far group does to a point is computed once for the group (Barnes and Hut,
// Nature 324, 1986). It is built anew in each step, in memory that it keeps.
//
// Each cell is a square with the number of its points and their centre. A square that was halved depth times is a leaf, however many
// points it has, and these count as one group: points that lie on each other would divide for ever, and each walk would meet all of them.
type quadtree struct {
	cells []cell
	// leaf is the cell that each point is in.
	leaf []int32
}

type cell struct {
	x, y  float32 // centre of the points
	count float32
	size2 float32 // squared width of the square
	first int32   // the first of four children, or -1 for a leaf
	point int32   // one of a leaf's points, or -1
}

// depth bounds the tree: 2^-20 of the map's width is below what float32 tells apart.
const depth = 20

// build makes the tree of points.
func (t *quadtree) build(points []Point) {
	low, high := bounds(points)
	width := max(high.X-low.X, high.Y-low.Y)
	t.cells = append(t.cells[:0], cell{first: -1, point: -1, size2: width * width})
	if cap(t.leaf) < len(points) {
		t.leaf = make([]int32, len(points))
	}
	t.leaf = t.leaf[:len(points)]
	for i := range points {
		t.insert(points, int32(i), low, width)
	}
	for i := range t.cells {
		if c := &t.cells[i]; c.count > 0 {
			c.x /= c.count
			c.y /= c.count
		}
	}
}

// insert adds a point to all cells that it lies in. Until build divides, a cell's x and y are sums.
func (t *quadtree) insert(points []Point, i int32, low Point, width float32) {
	at, p := int32(0), points[i]
	for level := 0; ; level++ {
		c := &t.cells[at]
		c.x += p.X
		c.y += p.Y
		c.count++
		if c.first < 0 {
			if c.point < 0 || level == depth {
				t.leaf[i], c.point = at, i
				return
			}
			t.split(at, points, low, width)
			c = &t.cells[at]
		}
		width /= 2
		var q int32
		q, low = quadrant(p, low, width)
		at = c.first + q
	}
}

// split gives a leaf with one point four children, of which one takes the point.
func (t *quadtree) split(at int32, points []Point, low Point, width float32) {
	first := int32(len(t.cells))
	half := width / 2
	empty := cell{first: -1, point: -1, size2: half * half}
	t.cells = append(t.cells, empty, empty, empty, empty)
	c := &t.cells[at]
	old := points[c.point]
	q, _ := quadrant(old, low, half)
	t.cells[first+q] = cell{x: old.X, y: old.Y, count: 1, first: -1, point: c.point, size2: half * half}
	t.leaf[c.point] = first + q
	c.first, c.point = first, -1
}

// quadrant tells which quarter of a square a point is in, and the corner of that quarter.
func quadrant(p, low Point, half float32) (int32, Point) {
	q := int32(0)
	if p.X >= low.X+half {
		q, low.X = 1, low.X+half
	}
	if p.Y >= low.Y+half {
		q, low.Y = q+2, low.Y+half
	}
	return q, low
}

// repel returns what pushes p off all points but that of number self (-1: none), and the sum of its similarities on the map to
// them: with q = 1 / (1 + d^2), the sums of q^2 (p - other) and of q. A cell counts as one point at its centre if it looks narrower than
// theta from p. stack is scratch memory.
func (t *quadtree) repel(p Point, self int32, stack []int32) (push Point, sum float32, _ []int32) {
	home := int32(-1)
	if self >= 0 {
		home = t.leaf[self]
	}
	stack = append(stack[:0], 0)
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		c := &t.cells[at]
		count := c.count
		if at == home {
			count--
		}
		if count == 0 {
			continue
		}
		dx, dy := p.X-c.x, p.Y-c.y
		d2 := dx*dx + dy*dy
		if c.first >= 0 && c.size2 >= theta*theta*d2 {
			stack = append(stack, c.first, c.first+1, c.first+2, c.first+3)
			continue
		}
		q := 1 / (1 + d2)
		sum += count * q
		push.X += count * q * q * dx
		push.Y += count * q * q * dy
	}
	return push, sum, stack
}

// bounds are the corners of the smallest rectangle with all points.
func bounds(points []Point) (low, high Point) {
	low, high = points[0], points[0]
	for _, p := range points[1:] {
		low = Point{min(low.X, p.X), min(low.Y, p.Y)}
		high = Point{max(high.X, p.X), max(high.Y, p.Y)}
	}
	return low, high
}
