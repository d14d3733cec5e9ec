namespace Gantry.Server.Ui;

/// <summary>Stands on pages that may take long to make: a visitor waits for the one before (<see cref="Limits.CallerTurns"/>).</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class DearAttribute : Attribute;
