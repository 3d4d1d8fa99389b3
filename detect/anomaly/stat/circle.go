package stat

import "math"

// Smooth writes into dst the circular convolution of bins with a wrapped normal
// kernel whose standard deviation is sd bins, cut at four of them (Mardia and
// Jupp: Directional Statistics, 12.5). The sum is kept.
func Smooth(dst, bins []float64, sd float64) {
	n := len(bins)
	reach := min(int(math.Ceil(4*sd)), n/2)
	kernel := make([]float64, reach+1)
	total := 0.0
	for i := range kernel {
		kernel[i] = math.Exp(-float64(i*i) / (2 * sd * sd))
		total += kernel[i]
		if i > 0 {
			total += kernel[i]
		}
	}
	for i := range dst {
		dst[i] = 0
	}
	for i, b := range bins {
		if b == 0 {
			continue
		}
		dst[i] += b * kernel[0] / total
		for k := 1; k <= reach; k++ {
			dst[(i+k)%n] += b * kernel[k] / total
			dst[(i-k+n)%n] += b * kernel[k] / total
		}
	}
}

// Rarity is the chance of a bin that is no likelier than bin at: the mass of the
// complement of the highest-density region that at borders (Hyndman 1996), with
// half of what is exactly as likely (mid-p). Density need not be normalised.
func Rarity(density []float64, at int) float64 {
	var less, same, total float64
	here := density[at]
	for _, d := range density {
		total += d
		switch {
		case math.Abs(d-here) <= 1e-12*here:
			same += d
		case d < here:
			less += d
		}
	}
	if total <= 0 {
		return 1
	}
	return (less + same/2) / total
}

// Direction is the circular mean of weights over equal bins of a circle, in bins
// from the middle of bin 0, and the mean resultant length R: 1 where all weight
// is in one place, 0 where it has none (Mardia and Jupp, 2.2).
func Direction(bins []float64) (mean, r float64) {
	var s, c, n float64
	step := 2 * math.Pi / float64(len(bins))
	for i, b := range bins {
		sin, cos := math.Sincos(step * float64(i))
		s += b * sin
		c += b * cos
		n += b
	}
	if n <= 0 {
		return 0, 0
	}
	mean = math.Atan2(s, c) / step
	if mean < 0 {
		mean += float64(len(bins))
	}
	return mean, math.Hypot(s, c) / n
}

// Rotate writes bins into dst, turned by shift bins to the right; parts of bins
// are shared between neighbours.
func Rotate(dst, bins []float64, shift float64) {
	n := len(bins)
	whole := math.Floor(shift)
	part := shift - whole
	off := ((int(whole) % n) + n) % n
	for i := range dst {
		dst[i] = 0
	}
	for i, b := range bins {
		dst[(i+off)%n] += b * (1 - part)
		dst[(i+off+1)%n] += b * part
	}
}
