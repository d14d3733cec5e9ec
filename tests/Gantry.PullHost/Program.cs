using System.Diagnostics;
using Gantry.Engine;
using Gantry.Engine.Remote;

// pull ROOT NAME [PARALLELISM] | unpack ROOT NAME DIRECTORY: over plain HTTP, as nobody. Prints what happened, and at the end the memory and time it took.
var name = ImageName.Parse(args[2]);
try
{
    using var registries = new RemoteRegistries(new RemoteOptions { PlainHttp = true, FirstPause = TimeSpan.FromMilliseconds(10) });
    var store = await ImageStore.OpenAsync(args[1]);
    var started = Stopwatch.GetTimestamp();
    if (args[0] == "pull")
    {
        var options = new PullOptions();
        if (args.Length > 3) options = options with { Parallelism = int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture) };
        var pulled = await new ImagePuller(store, registries, options).PullAsync(name);
        Console.WriteLine($"pulled {pulled.Image.Manifest.Digest} new={pulled.IsNew}");
        var returned = Stopwatch.GetElapsedTime(started);
        await store.SettleAsync();
        Console.WriteLine($"wall {returned.TotalSeconds:0.00} s, settled {Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s");
    }
    else
    {
        var unpacked = await new FlatUnpacker(store, registries, new PullOptions()).UnpackAsync(name, args[3]);
        Console.WriteLine($"unpacked {unpacked.Manifest.Digest}");
        Console.WriteLine($"wall {Stopwatch.GetElapsedTime(started).TotalSeconds:0.00} s");
    }

    using var self = Process.GetCurrentProcess();
    Console.WriteLine($"cpu {self.TotalProcessorTime.TotalSeconds:0.00} s, peak {self.PeakWorkingSet64 >> 20} MiB");
    return 0;
}
catch (EngineException fault)
{
    Console.Error.WriteLine($"{fault.Fault}: {fault.Message}");
    return 1;
}
