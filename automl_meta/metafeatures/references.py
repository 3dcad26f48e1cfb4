"""Publications that proposed the meta-features."""

from __future__ import annotations

ALI_SMITH_2006 = "Ali & Smith-Miles (2006), On learning algorithm selection for classification"
BENSUSAN_2000 = "Bensusan, Giraud-Carrier & Kennedy (2000), A higher-order approach to meta-learning"
CASTIELLO_2005 = (
    "Castiello, Castellano & Fanelli (2005), Meta-data: characterization of input features for meta-learning"
)
DAGOSTINO_1973 = "D'Agostino & Pearson (1973), Tests for departure from normality"
ENGELS_1998 = (
    "Engels & Theusinger (1998), Using a data metric for preprocessing advice for data mining applications"
)
FEURER_2015 = (
    "Feurer, Springenberg & Hutter (2015), Initializing Bayesian hyperparameter optimization via "
    "meta-learning"
)
FUERNKRANZ_2001 = "Fürnkranz & Petrak (2001), An evaluation of landmarking variants"
KALOUSIS_1999 = (
    "Kalousis & Theoharis (1999), NOEMON: design, implementation and performance results of an intelligent "
    "assistant for classifier selection"
)
KALOUSIS_2001 = "Kalousis & Hilario (2001), Model selection via meta-learning: a comparative study"
KOEPF_2000 = (
    "Köpf, Taylor & Keller (2000), Meta-analysis: from data characterisation for meta-learning to "
    "meta-regression"
)
LINDNER_1999 = "Lindner & Studer (1999), AST: support for algorithm selection with a CBR approach"
LORENA_2018 = (
    "Lorena, Maciel, de Miranda, Costa & Prudêncio (2018), Data complexity meta-features for "
    "regression problems"
)
LORENA_2019 = (
    "Lorena, Garcia, Lehmann, Souto & Ho (2019), How complex is your classification problem? A survey on "
    "measuring classification complexity"
)
PENG_2002 = "Peng, Flach, Soares & Brazdil (2002), Improved dataset characterisation for meta-learning"
PFAHRINGER_2000 = (
    "Pfahringer, Bensusan & Giraud-Carrier (2000), Meta-learning by landmarking various learning algorithms"
)
REIF_2014 = "Reif, Shafait, Goldstein, Breuel & Dengel (2014), Automatic classifier selection for non-experts"
RIVOLLI_2022 = "Rivolli, Garcia, Soares, Vanschoren & de Carvalho (2022), Meta-features for meta-learning"
SALAMA_2013 = "Salama, Hassanien & Revett (2013), Employment of neural network and rough set in meta-learning"
SOARES_2004 = (
    "Soares, Brazdil & Kuba (2004), A meta-learning method to select the kernel width in support "
    "vector regression"
)
STATLOG = "Michie, Spiegelhalter & Taylor (1994), Machine learning, neural and statistical classification"
THEIL_1970 = "Theil (1970), On the estimation of relationships involving qualitative variables"
