/* Price, delta, gamma, vega, theta and rho of Black-Scholes-Merton: the kernel's mathematics as one writes it in C.

   Built with -O3 -march=native -ffast-math. coefficients.h is written from the Python source before compiling, so both
   have the same polynomials. Out of range gives `missing`; NaN cannot be asked for under -ffast-math. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "coefficients.h"

#define LN2_HI 0.6931471803691238
#define LN2_LO 1.9082149292705877e-10
#define LOWEST 0x1p-500
#define HIGHEST 0x1p+500

static inline double number(int64_t bits) {
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

static inline int64_t bits_of(double x) {
    int64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

static inline double exponential(double x) {
    x = x < -709.0 ? -709.0 : x;
    x = x > 709.75 ? 709.75 : x;
    double whole = nearbyint(x * 1.4426950408889634);
    double r = (x - whole * LN2_HI) - whole * LN2_LO, w = r * r;
    double odd = EXP[0], even = EXP[1];
    for (int i = 2; i < 10; i += 2) {
        odd = odd * w + EXP[i];
        even = even * w + EXP[i + 1];
    }
    return (1.0 + (r + w * (even + r * odd))) * number(((int64_t)whole + 1023) << 52);
}

static inline double log_ratio(double p, double q) {
    int64_t power = (bits_of(p) - bits_of(q) + 2251799813685248) >> 52;
    double near = q * number((power + 1023) << 52), z = (p - near) / (p + near), w = z * z, v = w * w;
    double odd = ATANH[0], even = ATANH[1];
    for (int i = 2; i < 8; i += 2) {
        odd = odd * v + ATANH[i];
        even = even * v + ATANH[i + 1];
    }
    double k = (double)power;
    return k * LN2_HI + (2.0 * z + (z * w * (odd * w + even) + k * LN2_LO));
}

void black_greeks(long n, double missing, const int64_t *restrict right, const double *restrict spots,
                  const double *restrict strikes, const double *restrict times, const double *restrict vols,
                  const double *restrict rates, const double *restrict dividends, double *restrict price,
                  double *restrict delta, double *restrict gamma, double *restrict vega, double *restrict theta,
                  double *restrict rho) {
    for (long i = 0; i < n; i++) {
        double s = spots[i], k = strikes[i], t = times[i], vol = vols[i], rate = rates[i], dividend = dividends[i];
        double drift = (rate - dividend) * t, discount = exponential(-rate * t), forward = s * exponential(drift);
        double least = fmin(fmin(s, k), forward), most = fmax(fmax(s, k), forward);
        int good = (least >= LOWEST) & (most <= HIGHEST) & (fmin(t, vol) >= 0.0) & (discount > 0.0)
            & (right[i] * right[i] == 1);
        discount = good ? discount : missing;
        int below = forward <= k, out = (right[i] > 0) == below;
        double low = below ? forward : k, high = below ? k : forward;
        double root = sqrt(t), deviation = vol * root, per_deviation = 1.0 / deviation, per_spot = 1.0 / s;
        double half = 0.5 * deviation, h = fabs(log_ratio(s, k) + drift) * per_deviation;

        double y = (h - half) * 0.7071067811865476, z = (h + half) * 0.7071067811865476;
        int near = y >= -0.25;
        double u = near ? y : -y, gap = near ? deviation * 0.7071067811865476 : z - u;
        double a = u + 3.75, b = z + 3.75, inverse = 7.0 / (a * b), ou = inverse * b, oz = inverse * a;
        double qu = 1.0 - ou, qz = 1.0 - oz, pu = qu * qu, pz = qz * qz;
        double even = ERFCX[0], even_slope = 0.0, odd = ERFCX[1], odd_slope = 0.0;
        for (int j = 2; j < 24; j += 2) {
            even_slope = even_slope * pz + even;
            even = even * pu + ERFCX[j];
            odd_slope = odd_slope * pz + odd;
            odd = odd * pu + ERFCX[j + 1];
        }
        even_slope = even_slope * pz + even;
        even = even * pu + ERFCX[24];
        double value = even + qu * odd, slope = odd + (even_slope + qz * odd_slope) * (qu + qz), step = inverse * gap;
        double at_u = ou * value, at_z = oz * (value + step * slope), difference = step * (value - oz * slope);

        double doubled = exponential(-y * y), g = 0.5 * doubled;
        double part = g * (near ? difference : at_u + at_z), tail = g * at_u;
        double otm = near ? low * part : low - low * part;
        double near_end = low * (near == out ? tail : 1.0 - tail), far_end = low * (g * at_z);
        far_end = out ? far_end : high - far_end;
        double sign = (double)right[i] * discount;
        double held = sign * (below ? near_end : far_end), owed = sign * (below ? far_end : near_end);
        double density = discount * (low * doubled) * 0.3989422804014327;
        price[i] = discount * (out ? otm : (high - low) + otm);
        delta[i] = held * per_spot;
        gamma[i] = density * per_spot * (per_spot * per_deviation);
        vega[i] = density * root;
        theta[i] = dividend * held - rate * owed - 0.5 * density * (vol * (vol * per_deviation));
        rho[i] = t * owed;
    }
}
