namespace Gantry.Core;
