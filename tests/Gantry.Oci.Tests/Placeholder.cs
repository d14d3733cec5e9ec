namespace Gantry.Oci.Tests;
